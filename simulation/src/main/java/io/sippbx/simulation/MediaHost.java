package io.sippbx.simulation;

import io.grpc.Server;
import io.grpc.inprocess.InProcessServerBuilder;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.media.control.ControlSettings;
import io.sippbx.media.control.MediaControlService;
import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.session.MediaSessions;
import io.sippbx.media.session.NodeLoop;
import io.sippbx.media.session.SessionEvent;
import io.sippbx.media.session.SessionListener;
import io.sippbx.media.session.SessionSettings;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A machine with a media node, which is the product's own from the gRPC service to the port pool;
 * sockets are a ledger. Each control node reaches it by a way of its own, which can be cut.
 */
final class MediaHost {

  private static final PortRange PORTS = new PortRange(20_000, 39_999);

  private static final SessionSettings SESSIONS =
      new SessionSettings(
          // Shorter than a callee may ring.
          Duration.ofSeconds(30),
          Duration.ofSeconds(60),
          32_768,
          Duration.ofHours(1),
          Duration.ofSeconds(5),
          10_000,
          16,
          16,
          8);

  private final VirtualLoops time;
  private final Trace trace;
  private final RandomGenerator random;
  private final NodeId id;
  private final IpAddress address;
  private final String names;
  private final Map<String, Server> ways = new TreeMap<>();
  private final Map<String, Boolean> peers = new TreeMap<>();
  private final Set<CallKey> refused = new TreeSet<>();
  private int starts;
  private @Nullable Running process;

  /** What lives from a start to a kill. */
  private final class Running implements SessionListener {
    private final VirtualLoop loop;
    private final Relay relay;
    private final MediaSessions sessions;
    private final MediaControlService service;

    Running(VirtualLoop loop, boolean restoring) {
      this.loop = loop;
      NodeLoop nodeLoop = new OnVirtualTime(loop);
      var pool =
          new PortPool(
              PORTS,
              List.of(LocalAddress.of(address)),
              Duration.ofSeconds(5),
              Duration.ofSeconds(10),
              random);
      service =
          new MediaControlService(
              ControlSettings.defaults(),
              id,
              new Incarnation(random.nextLong()),
              nodeLoop,
              SESSIONS.maxStreams());
      relay = new Relay(loop, random, refused);
      sessions =
          new MediaSessions(
              restoring ? SESSIONS : SESSIONS.withRestoring(Duration.ZERO),
              pool,
              relay,
              nodeLoop,
              this);
      service.serve(sessions);
      tick();
    }

    private void tick() {
      sessions.tick();
      service.tick();
      loop.schedule(ControlSettings.defaults().statusEvery(), this::tick);
    }

    @Override
    public void event(SessionEvent event, Optional<io.sippbx.media.session.ControlNode> claimant) {
      trace.note(name(), event::toString);
      service.event(event, claimant);
    }

    @Override
    public void stateChanged(io.sippbx.media.session.NodeState state) {
      trace.note(name(), "is " + state);
      service.stateChanged(state);
    }
  }

  private record OnVirtualTime(VirtualLoop loop) implements NodeLoop {
    @Override
    public void execute(Runnable task) {
      loop.execute(task);
    }

    @Override
    public long nowNs() {
      return loop.nowNs();
    }

    @Override
    public Instant now() {
      return loop.now();
    }
  }

  /**
   * @param names begins the names of its ways within this JVM
   */
  MediaHost(
      VirtualLoops time, Trace trace, RandomGenerator random, String id, int number, String names) {
    this.time = time;
    this.trace = trace;
    this.random = random;
    this.id = new NodeId(id);
    this.address = IpAddress.parse("198.51.100." + (number + 1)).orElseThrow();
    this.names = names;
    process = new Running(time.loop(id), false);
  }

  NodeId id() {
    return id;
  }

  IpAddress address() {
    return address;
  }

  private String name() {
    return id + "#" + starts;
  }

  /** The name by which a control node reaches it. */
  String wayOf(String control) {
    return names + "-" + control + "-" + id;
  }

  /** A control node has started. */
  void connect(String control) {
    peers.put(control, true);
    open(control);
  }

  /** A control node is gone: its connection is reset. */
  void disconnect(String control) {
    peers.remove(control);
    close(control);
  }

  /** The way to a control node is cut, and reset; or whole again. */
  void cut(String control, boolean off) {
    if (peers.containsKey(control)) {
      peers.put(control, !off);
    }
    if (off) {
      close(control);
    } else if (peers.containsKey(control)) {
      open(control);
    }
  }

  private void open(String control) {
    Running now = process;
    if (now == null || ways.containsKey(control) || !peers.getOrDefault(control, false)) {
      return;
    }
    try {
      ways.put(
          control,
          InProcessServerBuilder.forName(wayOf(control))
              .executor(now.loop::execute)
              .addService(now.service.definition())
              .build()
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void close(String control) {
    Server way = ways.remove(control);
    if (way != null) {
      way.shutdownNow();
    }
  }

  void kill() {
    Running now = process;
    if (now == null) {
      return;
    }
    trace.note(name(), "is killed");
    now.loop.stop();
    process = null;
    List.copyOf(ways.keySet()).forEach(this::close);
  }

  void start() {
    if (process != null) {
      return;
    }
    starts++;
    trace.note(name(), "starts");
    process = new Running(time.loop(id + "#" + starts), true);
    peers.keySet().forEach(this::open);
  }

  void pause(boolean off) {
    Running now = process;
    if (now != null) {
      trace.note(name(), off ? "stands still" : "goes on");
      if (off) {
        now.loop.pause();
      } else {
        now.loop.resume();
      }
    }
  }

  /** An administrator drains it, or takes that back. */
  void drain(boolean on) {
    Running now = process;
    if (now != null) {
      trace.note(
          name(), (on ? "is drained" : "is undrained") + " with " + sessions() + " sessions");
      now.loop.execute(() -> now.sessions.drain(on));
    }
  }

  /** Ends all ways, at the end of a run. */
  void close() {
    kill();
  }

  /** Nothing comes for a call any more. */
  void silence(CallKey call) {
    Running now = process;
    if (now != null && now.relay.watches(call)) {
      now.loop.execute(() -> now.sessions.mediaTimeout(call));
    }
  }

  /** Binds nothing for a call, whenever it is asked to. */
  void refuse(CallKey call) {
    refused.add(call);
  }

  int sessions() {
    return process == null ? 0 : process.sessions.size();
  }

  int boundPorts() {
    return process == null ? 0 : process.relay.boundPorts();
  }

  int lentPairs() {
    return process == null ? 0 : process.sessions.ledger().lent();
  }

  /** What the relay was asked that makes no sense. */
  List<String> violations() {
    return process == null ? List.of() : process.relay.violations();
  }
}
