#!/usr/bin/env python3
"""RTP through our media node and through what a user would pick instead, side by side.

Each relay in turn holds the same calls and is pinned to core 0; the load (rtpload) sends from
core 1. Rounds alternate between the relays, so that a ratio comes from runs of the same minute.
CPU is that of the relay's process, threads that have ended among them, and of ksoftirqd/0.

Relays: ours (the media node of the built executable, told over gRPC), rtpengine (Debian's, in user
space), raw (a minimal relay in C: epoll, recvmmsg, sendmmsg), uring (io_uring in C), direct (no
relay: the load's own share).
"""
import argparse, contextlib, json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cpu, drops, rtpengine_flows as engine
import report
from servers import Failed, end_on_signal, free_port

RELAY_CORE, LOAD_CORE = "0", "1"
CALLER, CALLEE = "127.0.0.2", "127.0.0.3"


def ksoftirqd():
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/comm") as f:
                if f.read().strip() == f"ksoftirqd/{RELAY_CORE}":
                    return [int(name)]
    return []


@contextlib.contextmanager
def started(command, log):
    process = subprocess.Popen(["taskset", "-c", RELAY_CORE] + command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=engine.raise_nofile)
    try:
        yield process
    finally:
        engine.end(process)


@contextlib.contextmanager
def ours(calls, flows, o):
    """The media node as ./sip-pbx starts it, and a control node's part of the conversation."""
    listen = f"127.0.0.1:{free_port()}"
    folder = tempfile.mkdtemp(prefix="sip-pbx-bench-")
    log = open(os.path.join(folder, "log"), "w+")
    settings = {"cluster.node_id": "media", "media.listen": listen, "media.bind_ip": "127.0.0.1", "media.port_pool.start": "20000",
                "media.port_pool.end": str(20000 + 4 * calls + 99), "media.port_rest": "0", "media.allow_ephemeral_overlap": "true",
                "monitoring.bind_ip": "127.0.0.1", "monitoring.prometheus_port": "0", "monitoring.health_check_port": "0"}
    command = [o.executable, "media-plane"] + [x for k, v in settings.items() for x in ("--set", f"{k}={v}")]
    with started(command, log) as node:
        driver = subprocess.Popen(["taskset", "-c", LOAD_CORE, o.java, "-Xmx256m", "--sun-misc-unsafe-memory-access=allow", "-cp", o.classpath,
                                   "io.sippbx.benchmarks.relay.MediaDriver", "--node", listen, "--node-id", "media", "--calls", str(calls),
                                   "--flows", flows], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            said = []
            for line in driver.stdout:
                if line.strip() == "READY":
                    break
                said.append(line)
            else:
                log.seek(0)
                raise Failed(f"the media node did not take {calls} calls: {log.read()[-3000:]}")
            facts = json.loads(said[-1])
            yield [node.pid], facts
            answer, _ = driver.communicate("", timeout=60)
            facts.update(json.loads(answer.strip().splitlines()[-1]))
        finally:
            engine.end(driver)


@contextlib.contextmanager
def rtpengine(calls, flows, o):
    server = engine.RtpEngine("127.0.0.1", ng_port=free_port(), threads=1, core=RELAY_CORE)
    server.start()
    try:
        ng = engine.Ng(server.ip, server.ng_port)
        lines, took = engine.setup(ng, calls, CALLER, CALLEE)
        with open(flows, "w") as f:
            f.write("\n".join(lines) + "\n")
        facts = {"setup_s": round(calls / took["setup_calls_per_s"], 3), "setup_calls_per_s": round(took["setup_calls_per_s"])}
        yield [server.pid], facts
        facts["release_calls_per_s"] = round(engine.teardown(ng, calls)["delete_calls_per_s"])
    finally:
        server.stop()


def in_c(name):
    """A relay of the rig itself; None: no relay."""
    @contextlib.contextmanager
    def relay(calls, flows, o):
        with open(flows, "w") as f:
            for i in range(calls):
                f.write(f"{CALLER} {10000 + 2 * i} 127.0.0.1 {20000 + 2 * i} {CALLEE} {10000 + 2 * i} 127.0.0.4 {20000 + 2 * i}\n")
        if name is None:
            yield [], {}
            return
        process = subprocess.Popen(["taskset", "-c", RELAY_CORE, os.path.join(o.build, name), flows, "--seconds", "180"], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, preexec_fn=engine.raise_nofile)
        try:
            line = process.stdout.readline()
            if not line.startswith("READY"):
                raise Failed(f"{name}: {line}")
            yield [process.pid], {}
        finally:
            engine.end(process)
    return relay


RELAYS = {"ours": ours, "rtpengine": rtpengine, "raw": in_c("rawrelay"), "uring": in_c("uringrelay"), "direct": in_c(None)}


def run(name, calls, o, extra=()):
    with tempfile.NamedTemporaryFile(prefix="flows-") as flows:
        with RELAYS[name](calls, flows.name, o) as (pids, facts):
            dropped = drops.machine()
            command = ["taskset", "-c", LOAD_CORE, os.path.join(o.build, "rtpload"), flows.name, "--calls", str(calls), "--seconds", str(o.seconds),
                       "--warmup", str(o.warmup), "--cpu-pids", ",".join(map(str, pids + ksoftirqd())), "--label", name]
            command += (["--direct"] if name == "direct" else []) + list(extra)
            done = subprocess.run(command, capture_output=True, text=True, timeout=o.seconds + o.warmup + 60)
            if done.returncode:
                raise Failed(f"{name}, {calls} calls: {done.stderr[:500]}")
            result = json.loads(done.stdout)
            result["kernel_drops"] = drops.machine() - dropped
            result["rss_kb"] = cpu.sample(pids)["rss_kb"]
        result.update(facts, relay=name, load1=os.getloadavg()[0])
    wrong = {k: result[k] for k in ("corrupted", "misrouted", "duplicate", "wrong_source", "silent_flows") if result[k]}
    if wrong:
        raise Failed(f"{name}, {calls} calls: {wrong}")
    return result


def line(d):
    latency = d["latency_us"]
    return (f"{d['relay']:10} {d['calls']:5} calls  {d['relayed_pps']:7.0f} packets/s  loss {d['loss_pct']:.3f} %  {d['relay_cpu_us_per_packet']:6.2f} us/packet  "
            f"core {100 * d['relay_cpu_util']:3.0f} %  latency p50 {latency['p50']:5.0f} p99 {latency['p99']:6.0f} us  {d['rss_kb'] // 1024} MB")


def fixed(o):
    results = []
    for number in range(o.rounds):
        for calls in o.calls:
            for name in o.relays:
                d = run(name, calls, o)
                d["round"] = number
                if d["loss_pct"] > o.loss:
                    raise Failed(f"{name}, {calls} calls: {d['loss_pct']} % were lost")
                results.append(d)
                print(line(d), flush=True)
    return results


def ramp(o):
    """How many calls each carries on its core."""
    found = []
    for number in range(o.ramp_rounds):
        for name in o.relays:
            if name == "direct":
                continue
            kept = prompt = 0
            for calls in range(o.ramp_start, o.ramp_most + 1, o.ramp_step):
                d = run(name, calls, o)
                print(line(d), flush=True)
                if d["loss_pct"] > o.loss:
                    break
                if d["offered_pps"] < 0.98 * 100 * calls:
                    print(f"the load itself cannot send more than for {calls} calls")
                    break
                kept = calls
                if d["latency_us"]["p99"] <= 10_000:
                    prompt = calls
            found.append({"relay": name, "round": number, "kept": kept, "prompt": prompt})
            print(f"{name}: {kept} calls with loss <= {o.loss} %, {prompt} with p99 <= 10 ms as well", flush=True)
    return found


def main():
    p = argparse.ArgumentParser(prog="bench relay", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    numbers = lambda text: [int(x) for x in text.split(",")]
    p.add_argument("--relays", type=lambda t: t.split(","), default=["ours", "rtpengine", "raw"])
    p.add_argument("--calls", type=numbers, default=[100, 500, 1000])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=8, help="measured, each run")
    p.add_argument("--warmup", type=float, default=4, help="sent before, not measured")
    p.add_argument("--loss", type=float, default=0.1, help="percent that may be lost")
    p.add_argument("--ramp", action="store_true", help="also find how many calls each carries")
    p.add_argument("--ramp-start", type=int, default=600)
    p.add_argument("--ramp-step", type=int, default=200)
    p.add_argument("--ramp-most", type=int, default=2000)
    p.add_argument("--ramp-rounds", type=int, default=1)
    p.add_argument("--out", default="target/bench/relay", help="path of the report, without its ending")
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--executable", required=True, help=argparse.SUPPRESS)
    p.add_argument("--java", required=True, help=argparse.SUPPRESS)
    p.add_argument("--classpath", required=True, help=argparse.SUPPRESS)
    o = p.parse_args()
    unknown = [r for r in o.relays if r not in RELAYS]
    if unknown:
        p.error(f"--relays: expected some of {', '.join(RELAYS)}, but got {', '.join(unknown)}")
    if not (1 <= o.rounds <= 50 and 1 <= o.seconds <= 300 and all(1 <= c <= 5000 for c in o.calls)):
        p.error("expected 1 to 50 rounds, 1 to 300 seconds and 1 to 5000 calls")
    if os.cpu_count() < 2:
        p.error("needs two cores: one for the relay, one for the load")
    end_on_signal()
    try:
        results = fixed(o)
        carried = ramp(o) if o.ramp else []
    except Failed as e:
        print(f"bench relay: no report, a run failed: {e}", file=sys.stderr)
        return 1
    report.relay(o.out, results, carried, o)
    print(f"written: {o.out}.md .json .svg .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
