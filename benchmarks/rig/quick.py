#!/usr/bin/env python3
"""What a call costs, in under a minute: for whoever has changed something that each call goes through.

So many calls, one after another and a few at a time, through SIP PBX and through Kamailio with topology hiding and rtpengine: after
as many calls since its start each time, so that runs can be compared though a virtual machine goes on learning for thousands of calls.
Writes the ratios as one more line of a history. Commits a call do not vary at all.
"""
import argparse, os, socket, subprocess, sys, time

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
    p.add_argument("--out", default="docs/bench/history.md", help="where the line is added")
    p.add_argument("--build", help=argparse.SUPPRESS)
    p.add_argument("--executable", required=True, help=argparse.SUPPRESS)
    p.add_argument("--java", required=True, help=argparse.SUPPRESS)
    p.add_argument("--classpath", help=argparse.SUPPRESS)
    o = p.parse_args()
    if not (1 <= o.before <= 100_000 and 10 <= o.calls <= 100_000 and 1 <= o.at_once <= 100):
        p.error("expected 1 to 100000 calls before, 10 to 100000 calls and 1 to 100 at once")
    end_on_signal()
    try:
        ours, peer = measure("ours", o), measure(PEER, o)
    except Failed as e:
        print(f"bench quick: no figures, a run failed: {e}", file=sys.stderr)
        return 1
    parts, whole = ours["parts"], sum(peer["parts"].values())
    commit = report.said("git", "rev-parse", "--short", "HEAD")
    changed = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    line = (f"| {time.strftime('%Y-%m-%d')} | {commit}{' and changes' if changed else ''} | {o.before} | {sum(parts.values()) / whole:.2f} | {parts['control']:.2f} | {parts['media']:.2f} "
            f"| {parts['redis']:.2f} | {whole:.2f} | {ours['commits']:.2f} | {ours['octets']:.0f} |")
    print(line)
    if not os.path.exists(o.out):
        report.write(o.out, TITLE)
    with open(o.out, "a") as f:
        f.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
