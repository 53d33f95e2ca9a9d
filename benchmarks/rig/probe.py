#!/usr/bin/env python3
"""A few precise calls a second beside sipp's load (sipp's own clock has 4 ms steps here).

  probe.py HOST:PORT --user u000000 --cps 20 --seconds 8 [-v]
Prints JSON: calls, failed, INVITE-to-180 and INVITE-to-200 in ms (p50, p99, max). Send time is taken just before the send call,
receive time is the kernel's stamp. Each call: INVITE, (180), 200, ACK, BYE after 200 ms, 200.
"""
import argparse, heapq, json, os, re, select, socket, struct, sys, time

SO_TIMESTAMPNS = 35


def hdr(msg, *names):
    out = []
    for l in msg.split("\r\n\r\n", 1)[0].split("\r\n")[1:]:
        k, _, v = l.partition(":")
        if k.strip().lower() in names:
            out.append(v.strip())
    return out


def q(v, p):
    v = sorted(v)
    return round(v[min(len(v) - 1, int(p * len(v)))], 3) if v else None


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("to")
    ap.add_argument("--user", default="u000000")
    ap.add_argument("--cps", type=float, default=20)
    ap.add_argument("--seconds", type=float, default=8)
    ap.add_argument("--bind", default="127.0.0.20:5072")
    ap.add_argument("-v", action="store_true")
    o = ap.parse_args()
    host, port = o.to.split(":")
    me, mp = o.bind.split(":")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((me, int(mp)))
    n = max(1, int(o.cps * o.seconds))
    run = os.urandom(4).hex()
    sdp = f"v=0\r\no=p 1 1 IN IP4 {me}\r\ns=-\r\nc=IN IP4 {me}\r\nt=0 0\r\nm=audio 6002 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    calls, todo, done = {}, [(i / o.cps, i, "INVITE") for i in range(n)], 0
    heapq.heapify(todo)
    t0 = time.monotonic()

    def req(c, method, body=""):
        cseq = 2 if method == "BYE" else 1
        uri = c.get("remote", f"sip:{o.user}@{host}:{port}")
        routes = "".join(f"Route: {r}\r\n" for r in c.get("routes", []))
        m = (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {me}:{mp};branch=z9hG4bKp{run}{c['i']}{method}\r\nMax-Forwards: 70\r\n{routes}"
             f"From: <sip:probe@rig.test>;tag=p{run}{c['i']}\r\nTo: {c.get('to', f'<sip:{o.user}@rig.test>')}\r\nCall-ID: {run}-{c['i']}@probe\r\n"
             f"CSeq: {cseq} {method}\r\nContact: <sip:probe@{me}:{mp}>\r\n" + ("Content-Type: application/sdp\r\n" if body else "")
             + f"Content-Length: {len(body)}\r\n\r\n{body}")
        s.sendto(m.encode(), (host, int(port)))

    while done < n and time.monotonic() - t0 < o.seconds + 5:
        now = time.monotonic() - t0
        while todo and todo[0][0] <= now:
            _, i, what = heapq.heappop(todo)
            if what == "INVITE":
                calls[i] = {"i": i, "t": time.time_ns()}
                req(calls[i], "INVITE", sdp)
            elif what == "BYE":
                req(calls[i], "BYE")
        wait = max(0.0, min(0.05, (todo[0][0] - (time.monotonic() - t0)) if todo else 0.05))
        if not select.select([s], [], [], wait)[0]:
            continue
        b, anc, _, _ = s.recvmsg(65536, 128)
        ts = time.time_ns()
        for lv, ty, d in anc:
            if ty == SO_TIMESTAMPNS:
                a, e = struct.unpack("qq", d[:16])
                ts = a * 10**9 + e
        m = b.decode(errors="replace")
        if o.v:
            print(m.split("\r\n")[0], file=sys.stderr)
        cid = (hdr(m, "call-id", "i") or [""])[0]
        k = re.match(re.escape(run) + r"-(\d+)@", cid)
        if not m.startswith("SIP/2.0 ") or not k:
            continue
        c, code, cs = calls[int(k[1])], int(m[8:11]), hdr(m, "cseq")[0]
        if cs.endswith("BYE"):
            if code >= 200 and "end" not in c:
                c["end"] = code
                done += 1
        elif code == 180 or code == 183:
            c.setdefault("ring", (ts - c["t"]) / 1e6)
        elif 200 <= code < 300:
            first = "ans" not in c
            c.setdefault("ans", (ts - c["t"]) / 1e6)
            c["to"] = hdr(m, "to", "t")[0]
            u = re.search(r"<([^>]+)>", hdr(m, "contact", "m")[0])
            c["remote"] = u[1] if u else hdr(m, "contact", "m")[0].split(";")[0]
            c["routes"] = [r.strip() for h in hdr(m, "record-route") for r in h.split(",")][::-1]
            req(c, "ACK")
            if first:
                heapq.heappush(todo, (time.monotonic() - t0 + 0.2, c["i"], "BYE"))
        elif code >= 300 and "end" not in c:
            c["end"] = code
            c["to"] = hdr(m, "to", "t")[0]
            req(c, "ACK")
            done += 1
    ring, ans = [c["ring"] for c in calls.values() if "ring" in c], [c["ans"] for c in calls.values() if "ans" in c]
    print(json.dumps({"calls": len(calls), "failed": sum(c.get("end") != 200 for c in calls.values()), "pdd_p50": q(ring, .5), "pdd_p99": q(ring, .99),
                      "pdd_max": q(ring, 1), "answer_p50": q(ans, .5), "answer_p99": q(ans, .99)}))


if __name__ == "__main__":
    main()
