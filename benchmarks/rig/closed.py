#!/usr/bin/env python3
"""Calls one after another, so many at a time: the next begins when one has ended.

  closed.py HOST:PORT --calls 2000 --at-once 4
Caller and callee are this process, on 127.0.0.20 and 127.0.0.30. A call is INVITE, 180, 200, ACK, BYE, 200. How busy the machine
is changes how long it takes and not what is sent, so that what a call costs can be compared on a machine that others use too.
Prints JSON: calls, failed, seconds, and INVITE-to-180 in ms (p50, p99).
"""
import argparse, json, os, re, select, socket, sys, time

CALLER, CALLEE = ("127.0.0.20", 5074), ("127.0.0.30", 5084)
PATIENCE_S = 30
VIA = re.compile(r"^(?:Via|v):[ \t]*(.*)$", re.I | re.M)


def header(message, *names):
    for line in message.split("\r\n\r\n", 1)[0].split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() in names:
            return value.strip()
    return ""


def sdp(ip, port):
    return f"v=0\r\no=p 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"


class Load:
    def __init__(self, server, count, at_once, user="u000000"):
        self.server, self.count, self.at_once, self.user, self.run = server, count, at_once, user, os.urandom(4).hex()
        self.caller, self.callee = (self.socket(at) for at in (CALLER, CALLEE))
        self.calls, self.failed, self.ended, self.begun, self.delays = {}, 0, 0, 0, []

    @staticmethod
    def socket(at):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        s.bind(at)
        return s

    def close(self):
        self.caller.close()
        self.callee.close()

    def register(self):
        me = f"{CALLEE[0]}:{CALLEE[1]}"
        for i in range(PATIENCE_S):
            self.callee.sendto((f"REGISTER sip:{self.server[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKreg{self.run}{i}\r\nMax-Forwards: 70\r\n"
                                f"From: <sip:{self.user}@{self.server[0]}>;tag=r{self.run}\r\nTo: <sip:{self.user}@{self.server[0]}>\r\nCall-ID: reg-{self.run}\r\n"
                                f"CSeq: {i + 1} REGISTER\r\nContact: <sip:{self.user}@{me}>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n").encode(), self.server)
            if select.select([self.callee], [], [], 1)[0] and self.callee.recv(65536).startswith(b"SIP/2.0 200"):
                return
        raise SystemExit("closed: the callee could not be registered")

    def request(self, i, method, body=""):
        c = self.calls[i]
        uri = c.get("remote", f"sip:{self.user}@{self.server[0]}:{self.server[1]}")
        routes = "".join(f"Route: {r}\r\n" for r in c.get("routes", []))
        content = "Content-Type: application/sdp\r\n" if body else ""
        self.caller.sendto((f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER[0]}:{CALLER[1]};branch=z9hG4bK{self.run}{i}{method}\r\nMax-Forwards: 70\r\n{routes}"
                            f"From: <sip:closed@rig.test>;tag=f{self.run}{i}\r\nTo: {c.get('to', f'<sip:{self.user}@{self.server[0]}>')}\r\nCall-ID: {self.run}-{i}@closed\r\n"
                            f"CSeq: {2 if method == 'BYE' else 1} {method}\r\nContact: <sip:closed@{CALLER[0]}:{CALLER[1]}>\r\n{content}"
                            f"Content-Length: {len(body)}\r\n\r\n{body}").encode(), self.server)

    def begin(self):
        while self.begun < self.count and len(self.calls) < self.at_once:
            self.calls[self.begun] = {"since": time.monotonic()}
            self.request(self.begun, "INVITE", sdp(CALLER[0], 6002))
            self.begun += 1

    def end(self, i, failed):
        del self.calls[i]
        self.ended += 1
        self.failed += failed

    def at_caller(self, m):
        k = re.match(re.escape(self.run) + r"-(\d+)@", header(m, "call-id", "i"))
        if not m.startswith("SIP/2.0 ") or not k or int(k[1]) not in self.calls:
            return
        i, code = int(k[1]), int(m[8:11])
        c = self.calls[i]
        if header(m, "cseq").endswith("BYE"):
            self.end(i, code != 200)
        elif code in (180, 183):
            if "rang" not in c:
                c["rang"] = True
                self.delays.append((time.monotonic() - c["since"]) * 1e3)
        elif code == 200:
            c["to"] = header(m, "to", "t")
            c["remote"] = re.search(r"<([^>]+)>", header(m, "contact", "m"))[1]
            c["routes"] = [r.strip() for h in re.findall(r"^Record-Route:[ \t]*(.*)$", m, re.I | re.M) for r in h.split(",")][::-1]
            self.request(i, "ACK")
            if "up" not in c:
                c["up"] = True
                self.request(i, "BYE")
        elif code >= 300:
            c["to"] = header(m, "to", "t")
            self.request(i, "ACK")
            self.end(i, True)

    def at_callee(self, m, source):
        if not m.startswith(("INVITE ", "BYE ")):
            return
        method = m.split(" ", 1)[0]
        vias = "".join(f"Via: {v.strip()}\r\n" for v in VIA.findall(m.split("\r\n\r\n", 1)[0]))
        records = "".join(f"Record-Route: {v.strip()}\r\n" for v in re.findall(r"^Record-Route:[ \t]*(.*)$", m, re.I | re.M))
        to = header(m, "to", "t")
        to += "" if ";tag=" in to else f";tag=t{abs(hash(header(m, 'call-id', 'i')))}"
        head = f"{vias}{records}From: {header(m, 'from', 'f')}\r\nTo: {to}\r\nCall-ID: {header(m, 'call-id', 'i')}\r\nCSeq: {header(m, 'cseq')}\r\nContact: <sip:callee@{CALLEE[0]}:{CALLEE[1]}>\r\n"
        body = sdp(CALLEE[0], 7002)
        if method == "INVITE":
            self.callee.sendto(f"SIP/2.0 180 Ringing\r\n{head}Content-Length: 0\r\n\r\n".encode(), source)
            self.callee.sendto(f"SIP/2.0 200 OK\r\n{head}Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(), source)
        else:
            self.callee.sendto(f"SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n".encode(), source)

    def go(self):
        began = last = time.monotonic()
        while self.ended < self.count:
            self.begin()
            ready = select.select([self.caller, self.callee], [], [], 0.5)[0]
            now = time.monotonic()
            if ready:
                last = now
            elif now - last > PATIENCE_S:
                self.failed += self.count - self.ended
                break
            for s in ready:
                octets, source = s.recvfrom(65536)
                if s is self.caller:
                    self.at_caller(octets.decode(errors="replace"))
                else:
                    self.at_callee(octets.decode(errors="replace"), source)
            for i in [i for i, c in self.calls.items() if now - c["since"] > PATIENCE_S]:
                self.end(i, True)
        delays = sorted(self.delays)
        at = lambda p: round(delays[min(len(delays) - 1, int(p * len(delays)))], 3) if delays else None
        return {"calls": self.begun, "failed": self.failed, "seconds": round(time.monotonic() - began, 3), "pdd_p50": at(0.5), "pdd_p99": at(0.99)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("server")
    p.add_argument("--calls", type=int, default=2000)
    p.add_argument("--at-once", type=int, default=4)
    o = p.parse_args()
    host, port = o.server.rsplit(":", 1)
    load = Load((host, int(port)), o.calls, o.at_once)
    load.register()
    print(json.dumps(load.go()))


if __name__ == "__main__":
    sys.exit(main())
