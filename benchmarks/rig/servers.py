"""The SIP servers that are measured: each with all that it needs, on core 0, on 127.0.0.10 unless told."""
import contextlib, os, shutil, signal, socket, subprocess, sys, tempfile, time
import cpu, rtpengine_flows as engine

HERE = os.path.dirname(os.path.abspath(__file__))
SIP = os.path.join(HERE, "sip")
CORE = "0"
STARTS_WITHIN_S = 60


def address(which=0):
    """Where the first, second ... of several servers that are up at once listens; its media node has the address above it."""
    return f"127.0.0.{10 + 2 * which}", 5060


ADDRESS = address()


class Failed(Exception):
    """A run that proves nothing."""


def end_on_signal():
    """SIGTERM ends this process as SIGINT does: by the way of all that it has started."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """Processes by the part that they are; ended, each by its id, when the block is left."""

    address = ADDRESS  # another where several are up at once; set before it is started

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sip-pbx-bench-")
        self.parts = {}
        self.closing = contextlib.ExitStack()

    def __enter__(self):
        try:
            self.start()
            self.wait()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for process in reversed(list(self.parts.values())):
            engine.end(process)
        self.closing.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, part, command, env=None):
        log = self.closing.enter_context(open(self.path(f"{part}.log"), "w"))
        self.parts[part] = subprocess.Popen(["taskset", "-c", CORE] + command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                                            env={**os.environ, **(env or {})}, preexec_fn=engine.raise_nofile, start_new_session=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def said(self):
        text = ""
        for part in self.parts:
            with open(self.path(f"{part}.log")) as f:
                text += f"--- {part}\n{f.read()[-1500:]}\n"
        return text

    def redis(self):
        port = free_port()
        self.spawn("redis", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder])
        end = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return port
            if time.monotonic() > end:
                raise Failed("Redis did not start:\n" + self.said())
            time.sleep(0.05)

    def wait(self):
        """Until OPTIONS is answered."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.20", 0))
            s.settimeout(0.5)
            me = f"127.0.0.20:{s.getsockname()[1]}"
            for i in range(2 * STARTS_WITHIN_S):
                ended = [part for part, process in self.parts.items() if process.poll() is not None]
                if ended:
                    raise Failed(f"{', '.join(ended)} ended:\n{self.said()}")
                s.sendto((f"OPTIONS sip:{self.address[0]}:{self.address[1]} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKready{i}\r\nFrom: <sip:ready@rig.test>;tag=r{i}\r\n"
                          f"To: <sip:ready@rig.test>\r\nCall-ID: ready{i}-{os.getpid()}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContact: <sip:ready@{me}>\r\n"
                          "Content-Length: 0\r\n\r\n").encode(), self.address)
                with contextlib.suppress(OSError):
                    s.recv(4096)
                    return
                time.sleep(0.1)
        raise Failed("OPTIONS was not answered:\n" + self.said())

    def pids(self, part=None):
        chosen = [p for name, p in self.parts.items() if part in (None, name)]
        return cpu.descendants([p.pid for p in chosen])


class Ours(Server):
    """Control node, media nodes and Redis: a control node keeps no call of its own."""

    EDGE, COMMAND = "control", "control-plane"  # the part that speaks SIP
    MEDIA = "max_sessions: 20000, port_rest: 5, allow_ephemeral_overlap: true"
    REST = "monitoring: {bind_ip: 127.0.0.1, prometheus_port: 0, health_check_port: 0}\n"

    def __init__(self, o):
        super().__init__()
        self.executable, self.media_nodes = o.executable, o.media_nodes

    def relayed(self):
        """Settings of the relay, whose ports are on an address of its own, as others may be up."""
        network, host = self.address[0].rsplit(".", 1)
        return f"bind_ip: {network}.{int(host) + 1}, {self.MEDIA}"

    def start(self):
        redis, media = self.redis(), [free_port() for _ in range(self.media_nodes)]
        ports = 44_000 // self.media_nodes // 2 * 2
        for i, port in enumerate(media):
            self.configured("media" if i == 0 else f"media-{i + 1}", "media-plane",
                      f'cluster: {{node_id: media-{i + 1}}}\nmedia: {{listen: "127.0.0.1:{port}", {self.relayed()}, port_pool: {{start: {20_000 + i * ports}, end: {20_000 + (i + 1) * ports - 1}}}}}\n')
        nodes = ", ".join(f'"127.0.0.1:{port}"' for port in media)
        self.edge(redis, f"nodes: [{nodes}]")

    def edge(self, redis, media):
        os.mkdir(self.path("cdr"))
        self.configured(self.EDGE, self.COMMAND,
                  f'sip: {{listen_ip: {self.address[0]}, listen_port: {self.address[1]}, max_concurrent_calls: 20000, max_transactions: 1000000, registrar: {{max_addresses: 1000000}}}}\nmedia: {{{media}, rtp_timeout: 0}}\n'
                  f'redis: {{uri: "redis://127.0.0.1:{redis}"}}\ncluster: {{node_id: control-1, secret: "of the benchmark, 0123456789", mesh_listen: "127.0.0.1:0"}}\n'
                  f'cdr: {{output_dir: "{self.path("cdr")}"}}\nstandalone: {{data_dir: "{self.path("data")}"}}\n')

    def configured(self, part, command, configuration):
        with open(self.path(f"{part}.yaml"), "w") as f:
            f.write(configuration + self.REST)
        self.spawn(part, [self.executable, command, "--config", self.path(f"{part}.yaml")])

    def wait(self):
        """Until it is ready: it answers OPTIONS before that, and calls when it has a media node."""
        until = time.monotonic() + 2 * STARTS_WITHIN_S
        while "sip-pbx ready" not in self.log(self.EDGE):
            if time.monotonic() > until or self.parts[self.EDGE].poll() is not None:
                raise Failed(f"{self.EDGE} was not ready:\n{self.said()}")
            time.sleep(0.1)
        super().wait()

    def log(self, part):
        with open(self.path(f"{part}.log")) as f:
            return f.read()


class OursStandalone(Ours):
    """All planes in one process, and a Redis like the others'."""

    EDGE, COMMAND = "standalone", "standalone"

    def start(self):
        self.edge(self.redis(), f"{self.relayed()}, port_pool: {{start: 20000, end: 63999}}")


class KamailioConfigured(Server):
    """Kamailio with the parts of its configuration that are asked for."""

    def kamailio(self, defines, redis=0, ng=0):
        with open(os.path.join(SIP, "kamailio.cfg")) as f, open(self.path("kamailio.cfg"), "w") as out:
            out.write(f.read().replace("@LISTEN@", f"{self.address[0]}:{self.address[1]}").replace("@REDIS@", str(redis)).replace("@NG@", str(ng)))
        self.spawn("kamailio", ["kamailio", "-f", self.path("kamailio.cfg"), "-DD", "-E", "-m", "2048", "-M", "32", "-P", self.path("pid"), "-Y", self.folder]
                   + [x for d in defines for x in ("-A", d)])


class KamailioRegistrar(KamailioConfigured):
    """Kamailio as a registrar: bindings in its memory, written through to Redis where asked for."""

    def __init__(self, o, stored):
        super().__init__()
        self.stored = stored

    def start(self):
        if self.stored:
            self.kamailio(["WITH_DB_REDIS"], redis=self.redis())
        else:
            self.kamailio([])


class Kamailio(KamailioConfigured):
    """Kamailio with dialog; with topology hiding (state in Redis) and rtpengine where asked for."""

    def __init__(self, o, edge):
        super().__init__()
        self.edge = edge

    def start(self):
        redis = ng = 0
        defines = ["WITH_DIALOG"]
        if self.edge:
            redis = self.redis()
            rtpengine = engine.RtpEngine(threads=1, core=CORE, ng_port=free_port())
            rtpengine.start()
            self.parts["rtpengine"], ng = rtpengine.p, rtpengine.ng_port
            os.rename(rtpengine.log.name, self.path("rtpengine.log"))
            defines += ["WITH_TOPOS", "WITH_RTPENGINE"]
        self.kamailio(defines, redis, ng)


SERVERS = {
    "ours": Ours,
    "ours-standalone": OursStandalone,
    "kamailio-edge": lambda o: Kamailio(o, True),
    "kamailio-proxy": lambda o: Kamailio(o, False),
}
