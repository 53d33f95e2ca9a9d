#!/usr/bin/env python3
"""What a call costs, in under a minute: for whoever has changed something that each call goes through.

So many calls, one after another and a few at a time, through SIP PBX and through Kamailio with topology hiding and rtpengine: after
as many calls since its start each time, so that runs can be compared though a virtual machine goes on learning for thousands of calls.
Writes the ratios as one more line of a history. Commits a call do not vary at all.
With --jmh, instead: the steps of a call and of a packet each by itself, as multiples of work that never changes, and what each allocates.
"""
import argparse, json, os, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import closed, cpu, report
from servers import ADDRESS, SERVERS, Failed, end_on_signal

PEER = "kamailio-edge"
TITLE = """# What a call costs, from change to change
Each line is one run of `./bench quick`: ratios of CPU a call to Kamailio with topology hiding and rtpengine in the same run, after so
many calls since the start of the virtual machine; commits of a call, and octets that Redis is sent a call (heartbeats among them).

| date | commit | calls before | CPU, ratio | control ms | media ms | Redis ms | Kamailio and all ms | commits a call | octets to Redis a call |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""

# Each by itself: its column, and the benchmark.
STEPS = [("parse", "SipMessageBenchmark.parseDatagram"), ("build", "SipMessageBenchmark.buildOtherLeg"), ("decide", "CallStepBenchmark.decide"),
         ("encode", "CallStepBenchmark.encode"), ("relay", "RelayStepBenchmark.relay")]
YARDSTICK = "YardstickBenchmark.yardstick"
STEPS_TITLE = f"""
## Steps by themselves
Each line is one run of `./bench quick --jmh`: time as a multiple of `{YARDSTICK}` in the same run (a kilobyte digested and its words sorted), and octets allocated, which hardly
vary. Parse: an INVITE of 998 octets, as it comes in a datagram. Build: the other leg's INVITE. Decide: the callee's 200. Encode: the record of a call that is up. Relay: an RTP packet, without its system calls.

| date | commit | yardstick ns | {" | ".join(f"{name} time | {name} octets" for name, _ in STEPS)} |
| --- | --- | --- | {" | ".join("--- | ---" for _ in STEPS)} |
"""


def commit():
    """What is measured."""
    name = report.said("git", "rev-parse", "--short", "HEAD")
    changed = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    return f"{name}{' and changes' if changed else ''}"


def add(path, line, is_step):
    """One more line of one of the two tables."""
    if not os.path.exists(path):
        report.write(path, TITLE)
    with open(path) as f:
        calls, _, rest = f.read().partition(STEPS_TITLE[: STEPS_TITLE.index("\n", 1)])
    steps = STEPS_TITLE[: STEPS_TITLE.index("\n", 1)] + rest if rest else ""
    if is_step:
        steps = (steps or STEPS_TITLE) + line + "\n"
    else:
        calls += line + "\n"
    with open(path, "w") as f:
        f.write(calls + steps)


def steps(o):
    names = "|".join(f"{b.replace('.', '[.]')}$" for b in [YARDSTICK] + [b for _, b in STEPS])
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [o.java, "--sun-misc-unsafe-memory-access=allow", "-cp", o.classpath, "org.openjdk.jmh.Main", names, "-prof", "gc", "-foe", "true", "-rf", "json", "-rff", out.name]
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode:
            raise Failed(f"JMH ended with {ran.returncode}:\n{ran.stdout[-1500:]}{ran.stderr[-1500:]}")
        found = {".".join(x["benchmark"].rsplit(".", 2)[1:]): x for x in json.load(out)}
    # Of a few seconds the best: what else the machine does only adds to them.
    best = {name: min(min(fork) for fork in x["primaryMetric"]["rawData"]) for name, x in found.items()}
    octets = {name: x["secondaryMetrics"]["gc.alloc.rate.norm"]["score"] for name, x in found.items()}
    cells = " | ".join(f"{best[b] / best[YARDSTICK]:.4f} | {octets[b]:.0f}" for _, b in STEPS)
    return f"| {time.strftime('%Y-%m-%d')} | {commit()} | {best[YARDSTICK]:.0f} | {cells} |"


def redis(server):
    """Commits so far, of which each ends with a PEXPIRE of the record, and octets that Redis was sent."""
    with open(f"/proc/{server.parts['redis'].pid}/cmdline") as f:
        words = f.read().replace("\0", " ").split()
    # The process shows its address as its title once it serves.
    port = int(next(w for w in words if ":" in w).rsplit(":", 1)[1])
    text = ""
    for section in ("stats", "commandstats"):
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.sendall(f"INFO {section}\r\nQUIT\r\n".encode())
            while octets := s.recv(65536):
                text += octets.decode()
    figures = dict(x.split(":", 1) for x in text.split("\r\n") if ":" in x)
    expiring = figures.get("cmdstat_pexpire", "calls=0").split(",")[0].removeprefix("calls=")
    return int(expiring), int(figures["total_net_input_bytes"])


def measure(name, o):
    with SERVERS[name](o) as server:
        for calls in (o.before, o.calls):
            load = closed.Load(ADDRESS, calls, o.at_once)
            try:
                load.register()
                parts = {part: cpu.sample(server.pids(part))["cpu_s"] for part in server.parts}
                sent = redis(server)
                done = load.go()
            finally:
                load.close()
            if done["failed"]:
                raise Failed(f"{name}: {done['failed']} of {calls} calls failed\n{server.said()}")
        commits, octets = (after - before for after, before in zip(redis(server), sent))
        return {
            "parts": {part: (cpu.sample(server.pids(part))["cpu_s"] - was) * 1e3 / o.calls for part, was in parts.items()},
            "commits": commits / o.calls,
            "octets": octets / o.calls,
        }


def main():
    p = argparse.ArgumentParser(prog="bench quick", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--before", type=int, default=1500, help="calls before those that are measured")
    p.add_argument("--calls", type=int, default=500, help="calls that are measured")
    p.add_argument("--at-once", type=int, default=4)
    p.add_argument("--jmh", action="store_true", help="the steps by themselves")
    p.add_argument("--out", default="docs/bench/history.md", help="where the line is added")
    p.add_argument("--build", help=argparse.SUPPRESS)
    p.add_argument("--executable", required=True, help=argparse.SUPPRESS)
    p.add_argument("--java", required=True, help=argparse.SUPPRESS)
    p.add_argument("--classpath", help=argparse.SUPPRESS)
    p.set_defaults(media_nodes=1)
    o = p.parse_args()
    if not (1 <= o.before <= 100_000 and 10 <= o.calls <= 100_000 and 1 <= o.at_once <= 100):
        p.error("expected 1 to 100000 calls before, 10 to 100000 calls and 1 to 100 at once")
    end_on_signal()
    if o.jmh:
        try:
            line = steps(o)
        except Failed as e:
            print(f"bench quick: no figures: {e}", file=sys.stderr)
            return 1
        print(line)
        add(o.out, line, True)
        return 0
    try:
        ours, peer = measure("ours", o), measure(PEER, o)
    except Failed as e:
        print(f"bench quick: no figures, a run failed: {e}", file=sys.stderr)
        return 1
    parts, whole = ours["parts"], sum(peer["parts"].values())
    line = (f"| {time.strftime('%Y-%m-%d')} | {commit()} | {o.before} | {sum(parts.values()) / whole:.2f} | {parts['control']:.2f} | {parts['media']:.2f} "
            f"| {parts['redis']:.2f} | {whole:.2f} | {ours['commits']:.2f} | {ours['octets']:.0f} |")
    print(line)
    add(o.out, line, False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
