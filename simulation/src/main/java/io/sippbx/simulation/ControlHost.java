package io.sippbx.simulation;

import io.sippbx.control.ControlNode;
import io.sippbx.control.ControlNodeSettings;
import io.sippbx.control.Stores;
import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.edge.Edge;
import io.sippbx.control.event.OutboxRelay;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.GrpcMediaPlane;
import io.sippbx.control.media.GrpcMediaPlaneSettings;
import io.sippbx.control.media.MediaWitness.Testimony;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.control.registrar.RegisterResult;
import io.sippbx.control.registrar.RegistrarLimits;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SipReceiver;
import io.sippbx.control.store.Partition;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A machine with a control node, which is the product's own from the dispatcher to the commit, its
 * client of the media nodes included. It is killed, stands still and is started again as processes
 * are.
 */
final class ControlHost {

  private static final int LIMIT = 10_000;

  /** From one node to another. */
  private static final Duration HOP = Duration.ofMillis(1);

  /** How long another node's answer is waited for. */
  private static final Duration ANSWER = Duration.ofSeconds(2);

  /** How long a node may take to hand over what it has. */
  private static final Duration HAND_OVER = Duration.ofSeconds(5);

  /** How long it may take to publish what it has committed. */
  private static final Duration EVENTS_LEAVE = Duration.ofSeconds(3);

  /** What all control nodes share. */
  record Surroundings(
      VirtualLoops time,
      Trace trace,
      Network network,
      Endpoint address,
      Store store,
      EventLog log,
      Locator locator,
      List<MediaHost> media,
      Secret<byte[]> secret,
      int loops,
      CallObserver observer,
      Plants plants,
      Supplier<List<ControlHost>> peers) {}

  private final Surroundings world;
  private final RandomGenerator random;
  private final NodeId id;
  private int starts;
  private boolean paused;
  private boolean ending;
  private boolean startsAgain;
  private boolean meshIsCut;
  private @Nullable Running process;

  /** What lives from a start to a kill. */
  private final class Running {
    private final Loops loops;
    private final Store.Client store;
    private final EventLog.Client log;
    private final VirtualLoop publisher;
    private final OutboxRelay events;
    private final MediaPaths paths = new MediaPaths(id, world.media());
    private final GrpcMediaPlane media;
    private final ControlNode node;
    private final Network.Host host;

    Running() {
      String name = name();
      loops = world.time().loops(name, world.loops());
      store =
          world.store()
          .new Client(
              name,
              loops,
              real -> world.plants().stores().apply(id.text(), real),
              real -> world.plants().limits().apply(id.text(), real));
      Stores stores = store.stores();
      publisher = world.time().loop(name + " publisher");
      log = world.log().new Client(name, publisher);
      events =
          new OutboxRelay(
              stores.partitions(),
              loops,
              world.plants().consumers().apply(id.text(), log),
              (partition, by) -> by.equals(id.text()) || inherits(partition, by),
              OutboxRelay.PROMPT);
      events.start();
      // The process is the same whichever start it is, as long as its ways are made anew.
      world.media().forEach(each -> each.connect(id.text()));
      Loop first = loops.all().getFirst();
      var incarnation = new Incarnation(starts);
      media =
          GrpcMediaPlane.start(
              GrpcMediaPlaneSettings.of(paths.targets()),
              id,
              incarnation,
              first,
              random,
              (host, answer) -> answer.accept(List.of()),
              paths);
      media.witnessedBy((subject, told) -> witness(first, subject, told));
      var receiver = new SipReceiver[1];
      host =
          world
              .network()
              .attach(
                  name, world.address(), (message, flow) -> receiver[0].received(message, flow));
      node =
          new ControlNode(
              settings(incarnation),
              new ControlNode.World(
                  loops,
                  world.plants().transports().apply(id.text(), host),
                  new Streams(loops.all().getFirst()),
                  world.locator(),
                  stores,
                  world.plants().media().apply(id.text(), media),
                  events,
                  random::nextLong),
              new ControlNode.Listeners(world.observer(), new Unheard()));
      receiver[0] = node.receiver();
      node.start(() -> world.trace().note(name, "serves"));
    }

    /** What a node has left that is gone falls to who keeps the partition. */
    private boolean inherits(Partition partition, String by) {
      return !by.isEmpty() && node.cluster().inherits(partition, new NodeId(by));
    }

    /** Hands over what there is, then lets the events go, as far as both succeed in time. */
    private void end(Runnable done) {
      Loop first = loops.all().getFirst();
      first.execute(
          () ->
              node.handOver(
                  HAND_OVER,
                  () -> {
                    events.flush(done);
                    first.schedule(EVENTS_LEAVE, done);
                  }));
    }

    private void each(Consumer<VirtualLoop> what) {
      loops.all().forEach(loop -> what.accept((VirtualLoop) loop));
      what.accept(publisher);
    }
  }

  ControlHost(Surroundings world, RandomGenerator random, String id) {
    this.world = world;
    this.random = random;
    this.id = new NodeId(id);
  }

  NodeId id() {
    return id;
  }

  /** This start of it. */
  String name() {
    return id + "#" + starts;
  }

  /** The name of that start of a node. */
  static String startOf(Member member) {
    return member.node() + "#" + member.incarnation().value();
  }

  /** Whether this start of it lives, be it that it stands still. */
  boolean runs(String start) {
    return process != null && name().equals(start);
  }

  boolean isUp() {
    return process != null && !paused;
  }

  /** What it measures of the outboxes. */
  Optional<Invariant.Measured> outboxes() {
    Running now = process;
    return now == null
        ? Optional.empty()
        : Optional.of(new Invariant.Measured(now.events.depth(), now.events.fullest()));
  }

  private ControlNodeSettings settings(Incarnation incarnation) {
    var calls =
        new CallSettings(
            id,
            incarnation,
            TimerSettings.RFC_3261,
            CallKind.NO_ANSWER_AFTER,
            CallKind.MAX_DURATION,
            true,
            10,
            Duration.ofSeconds(60),
            List.of(),
            "sip-pbx");
    return new ControlNodeSettings(
        world.secret(),
        calls,
        new ControlNodeSettings.Access(
            AuthSettings.of("test"),
            new ConfiguredUsers("test", List.of()),
            new OwnDomains(List.of(), "test")),
        RegistrarSettings.DEFAULT,
        ClusterSettings.DEFAULT,
        new ControlNodeSettings.Limits(
            LIMIT,
            LIMIT,
            LIMIT,
            LIMIT,
            Duration.ofSeconds(10),
            LIMIT,
            CallLimits.DEFAULT,
            TransactionLimits.DEFAULT,
            RegistrarLimits.DEFAULT));
  }

  void start() {
    if (ending) {
      startsAgain = true;
    } else if (process == null) {
      starts++;
      paused = false;
      world.trace().note(name(), "starts");
      process = new Running();
    }
  }

  /** SIGTERM: it hands over what it has, and is gone when that is done. */
  void end(Loop fate) {
    Running now = process;
    if (now != null && !paused && !ending) {
      world.trace().note(name(), "is to end");
      ending = true;
      now.end(() -> fate.execute(() -> ended(now)));
    }
  }

  private void ended(Running then) {
    if (process == then) {
      boolean again = startsAgain;
      kill();
      if (again) {
        start();
      }
    }
  }

  /** The other control nodes do not reach it, nor it them; or they do again. */
  void cutMesh(boolean off) {
    meshIsCut = off;
  }

  /** SIGKILL: between two of its tasks. What it had sent is on its way. */
  void kill() {
    Running now = process;
    if (now != null) {
      world.trace().note(name(), ending ? "has ended" : "is killed");
      ending = false;
      startsAgain = false;
      close();
    }
  }

  /** Ends what runs, and its connections, at the end of a run. */
  void close() {
    Running now = process;
    if (now != null) {
      now.each(VirtualLoop::stop);
      now.host.detach();
      now.paths.end();
      world.media().forEach(each -> each.disconnect(id.text()));
      process = null;
    }
  }

  /** SIGKILL at the next such moment, if one comes before it is spared. */
  void killAt(EventLog.Moment when, Loop fate) {
    Running now = process;
    if (now != null) {
      now.log.killAt(
          when,
          () ->
              fate.execute(
                  () -> {
                    if (process == now) {
                      kill();
                    }
                  }));
    }
  }

  /** Lives on if it lives yet. */
  void spare() {
    if (process != null) {
      process.log.spare();
    }
  }

  /** SIGSTOP: its clock goes on, and what comes waits for it. */
  void pause() {
    Running now = process;
    if (now != null && !paused) {
      world.trace().note(name(), "stands still");
      paused = true;
      now.each(VirtualLoop::pause);
    }
  }

  /** SIGCONT. */
  void resume() {
    Running now = process;
    if (now != null && paused) {
      world.trace().note(name(), "goes on");
      paused = false;
      now.each(VirtualLoop::resume);
    }
  }

  /** Does not reach the store, or does again. */
  void cutStore(boolean off) {
    if (process != null) {
      process.store.cut(off);
    }
  }

  /** Is connected to another server of the store. */
  void storeFailedOver() {
    if (process != null) {
      process.store.failedOver();
    }
  }

  /** Does not reach the log, or does again. */
  void cutLog(boolean off) {
    if (process != null) {
      process.log.cut(off);
    }
  }

  /** Calls, transactions and mailboxes that it has in memory. */
  Optional<String> leftovers() {
    Running now = process;
    if (now == null) {
      return Optional.empty();
    }
    int mailboxes = 0;
    long transactions = 0;
    for (Edge edge : now.node.edges()) {
      mailboxes += edge.calls().size();
      transactions += edge.transactions().counts().live().total();
    }
    int active = now.node.activeCalls();
    return mailboxes + transactions + active == 0
        ? Optional.empty()
        : Optional.of(
            name()
                + " has "
                + mailboxes
                + " mailboxes, "
                + transactions
                + " transactions, "
                + active
                + " active calls");
  }

  /** A message of another node has come by the mesh; false if this start of it takes none. */
  private boolean handedOn(Member to, SipMessage message, Flow flow, int hops) {
    Running now = process;
    return now != null && startOf(to).equals(name()) && now.node.handedOn(message, flow, hops);
  }

  /** Asks the first other node that is there whether it hears a media node. */
  private void witness(Loop home, NodeId subject, Consumer<Testimony> told) {
    Optional<Running> other =
        world.peers().get().stream()
            .filter(each -> each != this)
            .flatMap(each -> Optional.ofNullable(each.process).stream())
            .findFirst();
    if (other.isEmpty()) {
      told.accept(Testimony.NOBODY);
      return;
    }
    other
        .get()
        .loops
        .all()
        .getFirst()
        .schedule(
            HOP,
            () -> {
              boolean hears = other.get().media.hears(subject);
              home.schedule(HOP, () -> told.accept(hears ? Testimony.HEARD : Testimony.SILENT));
            });
  }

  /**
   * The ways to the other nodes: each message takes its time, and nothing is told of what was given
   * to a node that stands still, until the time-out.
   */
  private final class Streams implements Mesh {
    private final Loop home;

    Streams(Loop home) {
      this.home = home;
    }

    @Override
    public void deliver(
        Member to, SipMessage message, Flow flow, int hops, Consumer<Delivery> told) {
      Optional<ControlHost> peer =
          world.peers().get().stream().filter(each -> each.id.equals(to.node())).findFirst();
      if (peer.isPresent() && (meshIsCut || peer.get().meshIsCut)) {
        home.schedule(ANSWER, () -> told.accept(Delivery.FAILED));
        return;
      }
      if (peer.isEmpty() || peer.get().process == null) {
        home.schedule(HOP, () -> told.accept(Delivery.FAILED));
        return;
      }
      var once = new boolean[1];
      Consumer<Delivery> first =
          what -> {
            if (!once[0]) {
              once[0] = true;
              world.trace().note(name(), what + " to " + startOf(to));
              told.accept(what);
            }
          };
      home.schedule(ANSWER, () -> first.accept(Delivery.FAILED));
      Loop there = peer.get().process.loops.all().getFirst();
      there.schedule(
          HOP,
          () -> {
            Delivery outcome =
                peer.get().handedOn(to, message, flow, hops + 1)
                    ? Delivery.DELIVERED
                    : Delivery.FAILED;
            home.schedule(HOP, () -> first.accept(outcome));
          });
    }

    @Override
    public void send(Member holder, SipMessage message, Flow flow, Consumer<Delivery> told) {
      // Datagrams belong to no node: nothing is sent for another.
      home.execute(() -> told.accept(Delivery.FAILED));
    }

    @Override
    public boolean isUp(Member member) {
      return world.peers().get().stream()
          .filter(each -> !meshIsCut && !each.meshIsCut)
          .anyMatch(each -> each.isUp() && each.name().equals(startOf(member)));
    }
  }

  /** Nobody listens to what the registrar does. */
  private static final class Unheard implements RegistrarListener {
    @Override
    public void changed(BindingChange change) {}

    @Override
    public void answered(RegisterResult result, Flow flow) {}

    @Override
    public void decided(Method method, AccessDecision decision, Flow flow) {}
  }
}
