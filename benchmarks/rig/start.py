#!/usr/bin/env python3
"""How soon a standalone process answers its first REGISTER, from the moment that it is started.

Each run is a fresh process with a Redis of its own and an empty data folder, as ./sip-pbx standalone starts it; a phone tries to send a
REGISTER every 5 ms until somebody listens, and repeats it as RFC 3261 17.1.2 says until it is answered with 200. Beside it the same without the AOT cache (-XX:AOTMode=off). Runs alternate.
"""
import argparse, os, shutil, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import cpu, report
from rtpengine_flows import end
from servers import Failed, end_on_signal

ADDRESS, PHONE = ("127.0.0.10", 5060), "127.0.0.20"
WITHIN_S = 60
T1_S, PAUSE_S = 0.5, 0.005
VARIANTS = {"with the AOT cache": "", "without": "-XX:AOTMode=off"}


def register(process, began, folder):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((PHONE, 0))
        s.connect(ADDRESS)
        s.settimeout(T1_S)
        me, i = f"{PHONE}:{s.getsockname()[1]}", 1
        while time.monotonic() < began + WITHIN_S and process.poll() is None:
            try:
                s.send((f"REGISTER sip:{ADDRESS[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKstart{i}\r\nMax-Forwards: 70\r\nFrom: <sip:first@{ADDRESS[0]}>;tag=s\r\n"
                        f"To: <sip:first@{ADDRESS[0]}>\r\nCall-ID: start-{os.getpid()}\r\nCSeq: {i} REGISTER\r\nContact: <sip:first@{me}>\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n").encode())
                answer = s.recv(65536)
                if answer.startswith(b"SIP/2.0 200"):
                    return time.monotonic() - began
                # Refused: the next attempt is a request of its own.
                i += not answer.startswith(b"SIP/2.0 1")
                time.sleep(PAUSE_S)
            except TimeoutError:
                pass
            except ConnectionError:
                time.sleep(PAUSE_S)
    with open(os.path.join(folder, "log")) as f:
        raise Failed(f"no REGISTER was answered within {WITHIN_S} s:\n{f.read()[-3000:]}")


def run(executable, options):
    folder = tempfile.mkdtemp(prefix="sip-pbx-bench-")
    settings = {"sip.listen_ip": ADDRESS[0], "sip.listen_port": ADDRESS[1], "media.bind_ip": "127.0.0.1", "standalone.data_dir": os.path.join(folder, "data"),
                "cdr.output_dir": os.path.join(folder, "cdr"), "monitoring.bind_ip": "127.0.0.1", "monitoring.prometheus_port": 0, "monitoring.health_check_port": 0}
    os.mkdir(os.path.join(folder, "cdr"))
    try:
        with open(os.path.join(folder, "log"), "w") as log:
            began = time.monotonic()
            process = subprocess.Popen([executable, "standalone"] + [x for k, v in settings.items() for x in ("--set", f"{k}={v}")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=folder, env={**os.environ, "JAVA_OPTS": options}, start_new_session=True)
            try:
                took = register(process, began, folder)
                return took, cpu.sample(cpu.descendants([process.pid]))["cpu_s"]
            finally:
                end(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    p = argparse.ArgumentParser(prog="bench start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--out", default="target/bench/start", help="path of the report, without its ending")
    p.add_argument("--build", help=argparse.SUPPRESS)
    p.add_argument("--executable", required=True, help=argparse.SUPPRESS)
    p.add_argument("--java", required=True, help=argparse.SUPPRESS)
    p.add_argument("--classpath", help=argparse.SUPPRESS)
    o = p.parse_args()
    if not 1 <= o.rounds <= 50:
        p.error("expected 1 to 50 rounds")
    end_on_signal()
    results = {name: [] for name in VARIANTS}
    try:
        for _ in range(o.rounds):
            for name, options in VARIANTS.items():
                results[name].append(run(o.executable, options))
                print(f"{name}: {results[name][-1][0]:.3f} s, {results[name][-1][1]:.2f} s of CPU", flush=True)
    except Failed as e:
        print(f"bench start: no report, a run failed: {e}", file=sys.stderr)
        return 1
    report.start(o.out, results, o)
    print(f"written: {o.out}.md .json .svg .png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
