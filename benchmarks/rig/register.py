#!/usr/bin/env python3
"""Registrations through SIP PBX and through Kamailio's registrar, and what a binding takes.

Everything of a server is pinned to core 0, the phones (this process) are on core 1. Each round and server: some registrations as a warm-up, then
one for each of --bindings users that were not registered, so many at a time, the next when one was answered; then each user's refresh.
Memory of a binding is what the server's processes hold more (PSS) after the new registrations than before them.

Servers: ours (control node and Redis: a binding is in Redis only, and any node serves it), kamailio-redis (usrloc in memory, written
through to Redis by db_redis: what outlives a restart), kamailio-memory (usrloc in memory: a restart forgets it). No digest with any.
"""
import argparse, os, socket, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cpu, drops, report
from servers import ADDRESS, Failed, KamailioRegistrar, Ours, end_on_signal

LOAD_CORE = 1
PHONE, CONTACT = ("127.0.0.20", 5070), "127.0.0.30:5080"
SERVERS = {"ours": Ours, "kamailio-redis": lambda o: KamailioRegistrar(o, True), "kamailio-memory": lambda o: KamailioRegistrar(o, False)}


def parts(server):
    """A media node has no part in registrations: a control node of ours waits for one before it opens."""
    return [part for part in server.parts if part != "media"]


def sample(server):
    return cpu.sample([pid for part in parts(server) for pid in server.pids(part)])


class Phones:
    """Registers users, so many at a time: the next when one was answered. Repeats as RFC 3261 17.1.2 says, from half a second on."""

    T1_S, PATIENCE_S = 0.5, 32

    def __init__(self, first, count, at_once):
        self.first, self.count, self.at_once, self.run = first, count, at_once, os.urandom(4).hex()
        self.begun = self.done = self.failed = self.repeats = 0
        self.waiting = {}

    def request(self, i):
        user, at = f"u{self.first + i:06d}", f"{PHONE[0]}:{PHONE[1]}"
        return (f"REGISTER sip:rig.test SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{self.run}-{i}\r\nMax-Forwards: 70\r\nFrom: <sip:{user}@rig.test>;tag={self.run}\r\n"
                f"To: <sip:{user}@rig.test>\r\nCall-ID: {self.run}-{i}@phones\r\nCSeq: 1 REGISTER\r\nContact: <sip:{user}@{CONTACT}>\r\nExpires: 3600\r\nUser-Agent: rig\r\n"
                "Content-Length: 0\r\n\r\n").encode()

    def begin(self, s):
        while self.begun < self.count and len(self.waiting) < self.at_once:
            octets, now = self.request(self.begun), time.monotonic()
            # Octets, when they were sent first, when they are sent again and the pause after that.
            self.waiting[self.begun] = [octets, now, now + self.T1_S, 2 * self.T1_S]
            s.sendto(octets, ADDRESS)
            self.begun += 1

    def repeat(self, s):
        now = time.monotonic()
        for i, each in list(self.waiting.items()):
            if now > each[1] + self.PATIENCE_S:
                self.end(i, True)
            elif now > each[2]:
                s.sendto(each[0], ADDRESS)
                self.repeats += 1
                each[2], each[3] = now + each[3], min(4, 2 * each[3])

    def end(self, i, failed):
        if self.waiting.pop(i, None):
            self.done += 1
            self.failed += failed

    def go(self):
        mark = f"Call-ID: {self.run}-".encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.bind(PHONE)
            s.settimeout(0.1)
            look = time.monotonic() + 0.1
            while self.done < self.count:
                self.begin(s)
                try:
                    octets = s.recv(65536)
                except TimeoutError:
                    octets = b""
                at = octets.find(mark)
                if at >= 0 and not octets.startswith(b"SIP/2.0 1"):
                    i = int(octets[at + len(mark):octets.index(b"@", at)])
                    self.end(i, not octets.startswith(b"SIP/2.0 200"))
                if time.monotonic() > look:
                    self.repeat(s)
                    look = time.monotonic() + 0.1


def register(server, name, first, count, o):
    phones = Phones(first, count, o.at_once)
    lost = drops.of(server.pids())
    split = {part: cpu.sample(server.pids(part))["cpu_s"] for part in parts(server)}
    before = sample(server)
    phones.go()
    after = sample(server)
    lost = drops.of(server.pids()) - lost
    if phones.failed:
        raise Failed(f"{name}: {phones.failed} of {count} registrations failed, {lost} datagrams were dropped by the kernel\n{server.said()}")
    seconds = after["t"] - before["t"]
    return {
        "server": name, "registrations": count, "per_s": count / seconds, "cpu_us": (after["cpu_s"] - before["cpu_s"]) * 1e6 / count,
        "cpu_us_parts": {part: (cpu.sample(server.pids(part))["cpu_s"] - was) * 1e6 / count for part, was in split.items()},
        "core": (after["cpu_s"] - before["cpu_s"]) / seconds, "kb": (after["pss_kb"] - before["pss_kb"]) / count, "pss_mb": after["pss_kb"] / 1024,
        "repeats": phones.repeats, "kernel_drops": lost, "load1": os.getloadavg()[0],
    }


def line(what, d):
    split = ", ".join(f"{k} {v:.0f}" for k, v in d["cpu_us_parts"].items())
    return (f"{d['server']:16} {what:8} {d['per_s']:6.0f} registrations/s  CPU {d['cpu_us']:5.0f} us each ({split})  core {100 * d['core']:3.0f} %  {d['kb']:.2f} kB each, "
            f"{d['pss_mb']:.0f} MB in all  {d['repeats']} repeated, {d['kernel_drops']} dropped by the kernel")


def measure(o):
    results = []
    for turn in range(o.rounds):
        for name in o.servers:
            with SERVERS[name](o) as server:
                # Users of their own: those that are measured have no binding yet.
                for done in range(0, o.warmup, 1000):
                    register(server, name, o.bindings, min(1000, o.warmup - done), o)
                for what in ("new", "refresh"):
                    found = register(server, name, 0, o.bindings, o)
                    print(line(what, found), flush=True)
                    results.append({**found, "what": what, "round": turn})
    return results


def main():
    p = argparse.ArgumentParser(prog="bench register", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--servers", type=lambda t: t.split(","), default=list(SERVERS), help=f"of {', '.join(SERVERS)}")
    p.add_argument("--bindings", type=int, default=100_000)
    p.add_argument("--warmup", type=int, default=20_000, help="registrations before, by 1,000 users")
    p.add_argument("--at-once", type=int, default=64)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--out", default="target/bench/register", help="path of the report, without its ending")
    p.add_argument("--build", help=argparse.SUPPRESS)
    p.add_argument("--executable", required=True, help=argparse.SUPPRESS)
    p.add_argument("--java", required=True, help=argparse.SUPPRESS)
    p.add_argument("--classpath", help=argparse.SUPPRESS)
    p.set_defaults(media_nodes=1)
    o = p.parse_args()
    unknown = [s for s in o.servers if s not in SERVERS]
    if unknown:
        p.error(f"--servers: expected some of {', '.join(SERVERS)}, but got {', '.join(unknown)}")
    if not (1 <= o.rounds <= 50 and 100 <= o.bindings <= 900_000 and 0 <= o.warmup <= 1_000_000 and 1 <= o.at_once <= 1000):
        p.error("expected 1 to 50 rounds, 100 to 900000 bindings, at most 1000000 registrations before and 1 to 1000 at once")
    if os.cpu_count() < 2:
        p.error("needs two cores: one for the server, one for the load")
    os.sched_setaffinity(0, {LOAD_CORE})
    end_on_signal()
    try:
        results = measure(o)
    except Failed as e:
        print(f"bench register: no report, a run failed: {e}", file=sys.stderr)
        return 1
    report.register(o.out, results, o)
    print(f"written: {o.out}.md .json .svg .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
