#!/usr/bin/env python3
"""The same calls through SIP PBX and through what a user would pick instead.

Everything of a server is pinned to core 0: control node, media node and Redis of ours, or a standalone
and Redis; Kamailio, rtpengine and Redis of the other. Caller and callee (sipp) and a probe for exact times are on core 1.
A call is INVITE, 180, 200, ACK, BYE, 200 between a caller and a registered callee. All servers are up, and
warm, before the first round, and each round is the turn of one after the other, within a minute: the machine drifts more than the
servers differ. CPU is that of all processes of a server, threads that have ended among them;
memory is their proportional share (PSS).
"""
import argparse, contextlib, csv, glob, json, os, resource, shutil, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import closed, cpu, drops, report
from rtpengine_flows import end
from servers import SERVERS, SIP, Failed, address, end_on_signal

CALLER, CALLEE_PORT = ("127.0.0.20", 5070), 5080
LOAD_CORE = "1"
USERS = 1000
RING_MS = 20
# RTP and RTCP of both sides of a call, in one process; what that has open besides, and calls of the probe.
SOCKETS_A_CALL, OTHER_FILES = 4, 1000
# Of all CPU that a turn of warming up takes: what the compilers may still take of it, and how many turns they are given.
AT_REST_PCT, LEARN_TURNS = 3, 8


def sipp(scenario, at, arguments, folder):
    return subprocess.Popen(["taskset", "-c", LOAD_CORE, "sipp", "-sf", os.path.join(SIP, f"{scenario}.xml"), "-i", at[0], "-p", str(at[1]), "-mi", at[0], "-nostdin",
                             "-buff_size", "4194304", "-trace_stat", "-stf", os.path.join(folder, f"{scenario}.csv"), "-fd", "1"] + arguments, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True)


def statistics_of(folder, scenario):
    try:
        with open(os.path.join(folder, f"{scenario}.csv")) as f:
            rows = list(csv.DictReader(f, delimiter=";"))
        return rows[-1] if rows else {}
    except OSError:
        return {}


def number(row, name):
    return float(row.get(name) or 0)


def users(folder, count=USERS):
    path = os.path.join(folder, "users.csv")
    with open(path, "w") as f:
        f.write("SEQUENTIAL\n" + "".join(f"u{i:06d};rig\n" for i in range(count)))
    return path


def register(server, callee, folder, count=USERS, rate=200):
    before = cpu.sample(server.pids())
    process = sipp("register", CALLER, [f"{server.address[0]}:{server.address[1]}", "-inf", users(folder, count), "-r", str(rate), "-m", str(count), "-key", "contact",
                                        f"{callee[0]}:{callee[1]}", "-timeout", str(count // rate + 60), "-timeout_error"], folder)
    try:
        code = process.wait(count / rate + 90)
    finally:
        end(process)
    after = cpu.sample(server.pids())
    row = statistics_of(folder, "register")
    if code or number(row, "SuccessfulCall(C)") != count:
        raise Failed(f"registering ended with {code}, {row.get('SuccessfulCall(C)')} of {count}:\n{server.said()}")
    return before, after


def load(server, folder, rate, seconds, hold, probe=20):
    """Calls at a rate for some seconds, each held for some; what became of them, and what they cost."""
    for old in glob.glob(os.path.join(folder, "uac*")):
        os.unlink(old)
    callee = statistics_of(folder, "uas")
    parts = {part: cpu.sample(server.pids(part)) for part in server.parts}
    lost = drops.of(server.pids())
    before, compiled = cpu.sample(server.pids()), cpu.compilers(server.pids())
    caller = sipp("uac", CALLER, [f"{server.address[0]}:{server.address[1]}", "-inf", users(folder), "-r", str(rate), "-m", str(int(rate * seconds)),
                                  "-l", str(int(rate * (hold + 10)) + 100), "-d", str(int(hold * 1000)), "-mp", "6000", "-recv_timeout", "20000",
                                  "-timeout", str(int(seconds + hold + 30))], folder)
    exact = subprocess.Popen(["taskset", "-c", LOAD_CORE, sys.executable, "-B", os.path.join(HERE, "probe.py"), f"{server.address[0]}:{server.address[1]}", "--cps", str(probe),
                              "--seconds", str(max(1, seconds - 0.5))], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        time.sleep(max(0, seconds - 0.3))
        peak = cpu.sample(server.pids())
        try:
            code = caller.wait(seconds + hold + 60)
        except subprocess.TimeoutExpired:
            caller.kill()
            code = caller.wait()
        probed = json.loads(exact.communicate(timeout=60)[0] or '{"calls": 0, "failed": 1}')
    finally:
        end(caller)
        end(exact)
    after, compiled = cpu.sample(server.pids()), cpu.compilers(server.pids()) - compiled
    lost = drops.of(server.pids()) - lost
    time.sleep(1.2)  # sipp writes its last line a second later
    row, answered = statistics_of(folder, "uac"), statistics_of(folder, "uas")
    calls, repeats = number(row, "TotalCallCreated"), number(row, "Retransmissions(C)") + number(answered, "Retransmissions(C)") - number(callee, "Retransmissions(C)")
    held, every = rate * min(hold, seconds - 0.3), calls + probed["calls"]
    return {
        "rate": rate, "hold": hold, "calls": int(calls), "failed": int(number(row, "FailedCall(C)")) + probed["failed"] + (1 if code else 0), "probe": probed,
        "late": calls < 0.97 * int(rate * seconds) or after["t"] - before["t"] > seconds * 1.1 + hold + 1.5, "repeats_pct": 100 * repeats / max(1, calls),
        "cpu_ms": (after["cpu_s"] - before["cpu_s"]) * 1e3 / max(1, every),
        "cpu_ms_parts": {part: round((cpu.sample(server.pids(part))["cpu_s"] - was["cpu_s"]) * 1e3 / max(1, every), 3) for part, was in parts.items()},
        "compilers_pct": 100 * compiled / max(1e-9, after["cpu_s"] - before["cpu_s"]),
        "core": (peak["cpu_s"] - before["cpu_s"]) / (peak["t"] - before["t"]), "pdd_ms_p50": probed.get("pdd_p50"), "pdd_ms_p99": probed.get("pdd_p99"),
        "kernel_drops": lost, "held": int(held), "kb_held": (peak["pss_kb"] - before["pss_kb"]) / max(1, held), "pss_mb": peak["pss_kb"] / 1024, "load1": os.getloadavg()[0],
    }


class Session:
    """A server with its callee and its registered users, warmed up; which of several that are up at once."""

    def __init__(self, name, o, which=0):
        self.name, self.o, self.which = name, o, which
        self.folder = tempfile.mkdtemp(prefix="sip-pbx-bench-run-")

    def __enter__(self):
        self.server = SERVERS[self.name](self.o)
        self.server.address = address(self.which)
        self.server.__enter__()
        try:
            callee = (f"127.0.0.{30 + self.which}", CALLEE_PORT)
            self.callee = sipp("uas", callee, ["-mp", "7000", "-d", str(RING_MS)], self.folder)
            register(self.server, callee, self.folder)
            self.warm_up()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if hasattr(self, "callee"):
            end(self.callee)
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def warm_up(self):
        """As many calls as it takes, sixteen at once: a virtual machine goes on learning for thousands of them."""
        calls = closed.Load(self.server.address, self.o.warmup, 16, "warm-up")
        try:
            calls.register()
            done = calls.go()
        finally:
            calls.close()
        if done["failed"]:
            raise Failed(f"{self.name}: {done['failed']} of the {self.o.warmup} calls before failed\n{self.server.said()}")

    def learn(self):
        """The calls that are measured, until the compilers have come to rest: one that is held for some seconds takes other ways than one that ends at once."""
        for _ in range(LEARN_TURNS if self.o.warmup_seconds else 0):
            if self.good(self.o.rate, self.o.warmup_seconds, self.o.hold)["compilers_pct"] < AT_REST_PCT:
                return

    def run(self, rate, seconds, hold):
        result = load(self.server, self.folder, rate, seconds, hold)
        result["server"] = self.name
        return result

    def good(self, rate, seconds, hold):
        result = self.run(rate, seconds, hold)
        print(line(result), flush=True)
        if result["failed"] or result["late"]:
            raise Failed(f"{self.name} at {rate} calls/s: {result['failed']} of {result['calls']} failed{', the load came late' if result['late'] else ''}\n{self.server.said()}")
        return result


def line(d):
    parts = ", ".join(f"{k} {v:.2f}" for k, v in d["cpu_ms_parts"].items())
    return (f"{d['server']:14} {d['rate']:5.0f} calls/s  {d['calls']:6} calls {d['failed']:4} failed  repeats {d['repeats_pct']:.2f} %  CPU {d['cpu_ms']:.2f} ms a call ({parts}; {d['compilers_pct']:.0f} % of it compilers)  "
            f"core {100 * d['core']:3.0f} %  PDD p50 {d['pdd_ms_p50']} p99 {d['pdd_ms_p99']} ms  {d['kernel_drops']} dropped by the kernel  {d['held']} held, {d['kb_held']:.0f} kB each")


def ends(d):
    """Why this step ends the climb."""
    return ("failed calls" if d["failed"] else "retransmissions" if d["repeats_pct"] > 1 else "post-dial delay p99 above 250 ms" if (d["pdd_ms_p99"] or 0) > 250
            else "the load came late" if d["late"] else None)


def climb(session, o):
    """The highest rate at which no call fails. A step that does not hold is made once more: one pause of a shared machine is 1 % of its probes."""
    best, why, rate = None, "the limit of the benchmark", o.start
    while rate <= o.limit:
        for _ in range(2):
            d = session.run(round(rate), o.climb_seconds, 1)
            print(line(d), flush=True)
            time.sleep(2)
            why = ends(d)
            if not why:
                break
        if why:
            break
        best, why = d, "the limit of the benchmark"
        rate *= o.factor
    return {"server": session.name, "highest": best["rate"] if best else 0, "why": why, "at": best}


def measure(o):
    fixed, held, highest = [], [], []
    with contextlib.ExitStack() as up:
        sessions = [up.enter_context(Session(name, o, which)) for which, name in enumerate(o.servers if o.rounds else [])]
        for session in sessions:
            session.learn()
        for turn in range(o.rounds):
            fixed += [{**session.good(o.rate, o.seconds, o.hold), "round": turn} for session in sessions]
        # After all of these: what a server is given beyond what it can leaves traces.
        for turn in range(o.rounds if o.highest else 0):
            highest += [{**climb(session, o), "round": turn} for session in sessions]
    for turn in range(o.held_rounds if o.held else 0):
        for name in o.servers:
            for calls in o.held:
                # A fresh server each: what so many calls have left behind is no part of what others take.
                with Session(name, o) as session:
                    session.learn()
                    rate = min(o.held_rate, max(20, calls / 5))
                    held.append({**session.good(rate, calls / rate, calls / rate), "wanted": calls, "round": turn})
    return fixed, held, highest


def main():
    p = argparse.ArgumentParser(prog="bench calls", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--servers", type=lambda t: t.split(","), default=["ours", "ours-standalone", "kamailio-edge"], help=f"of {', '.join(SERVERS)}")
    p.add_argument("--rate", type=float, default=100, help="calls/s of the first table")
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--hold", type=float, default=5, help="seconds that a call is up")
    p.add_argument("--warmup", type=int, default=20_000, help="calls before anything is measured")
    p.add_argument("--warmup-seconds", type=float, default=30, help=f"and then so long of the calls of the first table, {LEARN_TURNS} times at most, until the compilers take less than {AT_REST_PCT} %% of the CPU; 0: none")
    p.add_argument("--rounds", type=int, default=3, help="of the first table and of --highest; 0: only what --held says")
    p.add_argument("--highest", action="store_true", help="also climb to the highest rate without failure")
    p.add_argument("--start", type=float, default=150)
    p.add_argument("--factor", type=float, default=1.25)
    p.add_argument("--limit", type=float, default=6000)
    p.add_argument("--climb-seconds", type=float, default=6)
    p.add_argument("--held", type=lambda t: [int(x) for x in t.split(",")], default=[], help="also hold so many calls at once, as 100,1000,10000")
    p.add_argument("--held-rate", type=float, default=150)
    p.add_argument("--held-rounds", type=int, default=1)
    p.add_argument("--out", default="target/bench/calls", help="path of the report, without its ending")
    p.add_argument("--build", help=argparse.SUPPRESS)
    p.add_argument("--executable", required=True, help=argparse.SUPPRESS)
    p.add_argument("--java", required=True, help=argparse.SUPPRESS)
    p.add_argument("--classpath", help=argparse.SUPPRESS)
    o = p.parse_args()
    unknown = [s for s in o.servers if s not in SERVERS]
    if unknown:
        p.error(f"--servers: expected some of {', '.join(SERVERS)}, but got {', '.join(unknown)}")
    if not (0 <= o.rounds <= 50 and (o.rounds or o.held) and 1 <= o.warmup <= 100_000 and 0 <= o.warmup_seconds <= 300 and 1 <= o.rate <= 5000 and 2 <= o.seconds <= 300 and all(1 <= h <= 10_000 for h in o.held) and o.factor > 1):
        p.error("expected 1 to 50 rounds or --held, 1 to 100000 calls before, 0 to 300 seconds before, 1 to 5000 calls/s, 2 to 300 seconds, at most 10000 held and a factor above 1")
    if os.cpu_count() < 2:
        p.error("needs two cores: one for the server, one for the load")
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)[0], max(o.held, default=0)
    room = max(1, (files - OTHER_FILES) // SOCKETS_A_CALL)
    if most > room and o.servers != ["ours"]:
        p.error(f"--held {most}: expected {SOCKETS_A_CALL * most + OTHER_FILES} open files ({SOCKETS_A_CALL} sockets a call), but at most {files} are allowed (ulimit -n), which is enough for {room} calls; --servers ours takes more media nodes")
    o.media_nodes = max(1, -(-most // room))
    end_on_signal()
    try:
        fixed, held, highest = measure(o)
    except Failed as e:
        print(f"bench calls: no report, a run failed: {e}", file=sys.stderr)
        return 1
    report.calls(o.out, fixed, held, highest, o)
    print(f"written: {o.out}.md .json .svg .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
