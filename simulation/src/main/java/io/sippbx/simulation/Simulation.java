package io.sippbx.simulation;

import io.sippbx.control.call.Call;
import io.sippbx.control.call.CallKeys;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A world from a scenario: it is built, run until it has come to rest, and looked at after every
 * event. In one thread, on virtual time; the same scenario gives the same run in any JVM.
 */
final class Simulation {

  private static final byte[] SECRET =
      "a secret of the simulated cluster".getBytes(StandardCharsets.US_ASCII);

  static final Endpoint EDGE = Endpoint.of("127.0.0.1", 5060);
  private static final Endpoint NOBODY = Endpoint.of("127.0.0.2", 5060);
  private static final Endpoint DEPUTY = Endpoint.of("127.0.0.3", 5060);

  /** Phones have registered by then. */
  static final Duration BEGIN = Duration.ofSeconds(12);

  /** From the last call or fault to rest, at most. */
  private static final Duration REST =
      CallKind.MAX_DURATION.plus(CallKind.NO_ANSWER_AFTER).plusSeconds(240);

  private static final Duration MEDIA_TIMEOUT = Duration.ofSeconds(5);

  /** Half of what phones register for; in a run that is shorter none does it again. */
  private static final Duration RENEWAL = Duration.ofSeconds(Phone.FOR_AN_HOUR_S / 2);

  private static final AtomicLong RUNS = new AtomicLong();

  /**
   * Complains of channels that nobody closes: those of killed processes. Held, or it is forgotten.
   */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  static {
    GRPC.setLevel(Level.OFF);
  }

  private final Scenario scenario;
  private final VirtualLoops time;
  private final Trace trace;
  private final Network network;
  private final Store store;
  private final EventLog log;
  private final List<ControlHost> control = new ArrayList<>();
  private final List<MediaHost> media = new ArrayList<>();
  private final List<Phone> callers = new ArrayList<>();
  private final List<Phone> callees = new ArrayList<>();
  private final Phone deputy;
  private final VirtualLoop fate;
  private final Map<Integer, PlannedCall> planned = new TreeMap<>();
  private final Map<CallKey, PlannedCall> byKey = new TreeMap<>();
  private final Owners owners = new Owners();
  private final Forgotten forgotten = new Forgotten(this::runs);
  private final Refusals refusals = new Refusals(this::runs);
  private final List<Invariant> invariants = new ArrayList<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<Fault.Kind, Integer> faults = new EnumMap<>(Fault.Kind.class);
  private final Map<Integer, Integer> ups = new TreeMap<>();
  private final Set<String> commits = new LinkedHashSet<>();
  private final CallKeys keys = new CallKeys(SECRET);
  private int calls;
  private long events;
  private boolean failingOver;

  private Simulation(Scenario scenario, Plants plants, int keepLines) {
    this.scenario = scenario;
    var dice = new Dice(scenario.seed());
    time = VirtualLoops.shuffled(scenario.seed());
    trace = new Trace(time, keepLines);
    fate = time.loop("fate");
    network =
        new Network(
            time.loop("wire"), dice.of("network"), trace, scenario, this::sent, this::heard);
    store =
        new Store(time.loop("store"), dice.of("store"), trace, plants.outboxes(), new Committed());
    log = new EventLog(time.loop("log"), dice.of("log"), trace, this::arrived);
    String run = "simulated-" + RUNS.incrementAndGet();
    for (int i = 0; i < scenario.mediaNodes(); i++) {
      String id = "m" + (i + 1);
      media.add(new MediaHost(time, trace, dice.of(id), id, i, run));
    }
    var phones = new Phones();
    for (int i = 0; i < Scenario.PHONES; i++) {
      callers.add(phone("caller" + i, Endpoint.of("127.0.1." + (i + 1), 5060), phones));
      callees.add(phone("callee" + i, Endpoint.of("127.0.2." + (i + 1), 5060), phones));
    }
    deputy = phone("deputy", DEPUTY, phones);
    var surroundings =
        new ControlHost.Surroundings(
            time,
            trace,
            network,
            EDGE,
            store,
            log,
            (uri, home, answer) -> locate(uri, home, answer),
            media,
            new Secret<>(SECRET),
            scenario.loops(),
            new Observed(),
            plants,
            () -> control);
    for (int i = 0; i < scenario.controlNodes(); i++) {
      String id = "c" + (i + 1);
      control.add(new ControlHost(surroundings, dice.of(id), id));
    }
    scenario.calls().forEach(call -> planned.put(call.number(), call));
    var view = new Looked();
    invariants.addAll(
        List.of(
            new OneOwner(view),
            new OneAnswer(view),
            new OverIsOver(view),
            new EverySuccessAcknowledged(view),
            new NoLegAlone(view),
            new NobodyRingsOn(view),
            new OneEnd(view),
            new EventsArrive(view),
            new OutboxHolds(view),
            new BelievedCallsAreUp(view),
            new EndsAsPlanned(view),
            new NoDefects(view),
            new NothingLeft(view)));
  }

  private Phone phone(String name, Endpoint address, Phones phones) {
    return new Phone(name, time.loop(name), address, EDGE, network, phones, phones);
  }

  /**
   * Runs a scenario to its rest, or to the first violation.
   *
   * @param keepLines of the trace, or {@link Trace#OFF}
   */
  static Outcome run(Scenario scenario, Plants plants, int keepLines) {
    return run(scenario, plants, keepLines, view -> List.of());
  }

  /**
   * As {@link #run(Scenario, Plants, int)}.
   *
   * @param more that is to hold in this run
   */
  static Outcome run(
      Scenario scenario,
      Plants plants,
      int keepLines,
      Function<Invariant.View, List<Invariant>> more) {
    var simulation = new Simulation(scenario, plants, keepLines);
    simulation.invariants.addAll(more.apply(simulation.new Looked()));
    try {
      return simulation.run();
    } finally {
      simulation.control.forEach(ControlHost::close);
      simulation.media.forEach(MediaHost::close);
    }
  }

  private Outcome run() {
    control.forEach(ControlHost::start);
    register();
    for (PlannedCall call : scenario.calls()) {
      at(BEGIN.plus(call.at()), () -> begin(call));
    }
    for (Fault fault : scenario.faults()) {
      at(BEGIN.plus(fault.at()), () -> strike(fault));
    }
    Duration last = lastCall();
    for (Duration when = RENEWAL; when.compareTo(last) < 0; when = when.plus(RENEWAL)) {
      at(when, this::renew);
    }
    Duration end = BEGIN.plus(max(last, scenario.faultsEnd())).plusSeconds(1);
    runUntil(end);
    Duration rest = time.elapsed().plus(REST);
    while (violations.isEmpty() && time.elapsed().compareTo(rest) < 0 && !isAtRest()) {
      runUntil(time.elapsed().plusSeconds(2));
    }
    if (violations.isEmpty()) {
      invariants.forEach(Invariant::atRest);
    }
    return new Outcome(
        scenario,
        violations,
        calls,
        (int) ups.values().stream().filter(sides -> sides == 2).count(),
        events,
        time.elapsed(),
        faults,
        trace.hash(),
        trace.lines());
  }

  private Duration lastCall() {
    return scenario.calls().stream()
        .map(PlannedCall::at)
        .max(Duration::compareTo)
        .orElse(Duration.ZERO);
  }

  private void runUntil(Duration end) {
    at(end, () -> {});
    while (violations.isEmpty() && time.elapsed().compareTo(end) < 0 && time.step()) {
      events++;
    }
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private void at(Duration when, Runnable what) {
    fate.schedule(when.minus(time.elapsed()), what);
  }

  private static Duration max(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }

  private void register() {
    for (int i = 0; i < callees.size(); i++) {
      Phone callee = callees.get(i);
      callee.register("callee" + i, callee.host().address().ip().uriText());
      callee.register("far" + i, "far" + i + ".test");
    }
  }

  /** Phones are registered on; what is far is not, and is lost when its hour is over. */
  private void renew() {
    for (int i = 0; i < callees.size(); i++) {
      Phone callee = callees.get(i);
      callee.register("callee" + i, callee.host().address().ip().uriText());
    }
  }

  // --- Calls ---

  private void begin(PlannedCall call) {
    Phone phone = callers.get(call.caller());
    phone.loop().execute(() -> carryOut(call, phone));
  }

  private void carryOut(PlannedCall call, Phone phone) {
    trace.note("plan", call::toString);
    Phone.Offer offer =
        switch (call.kind()) {
          case DELAYED_OFFER -> Phone.Offer.NONE;
          case NO_SESSION -> Phone.Offer.GARBAGE;
          default -> Phone.Offer.SESSION;
        };
    Phone.Dialog dialog = phone.prepare(call.number(), call.kind().dials(call.callee()), offer);
    CallKey key = keys.derive(dialog.invite);
    byKey.put(key, call);
    if (call.kind() == CallKind.NO_MEDIA) {
      media.forEach(each -> each.refuse(key));
    }
    phone.send(dialog);
    VirtualLoop loop = phone.loop();
    switch (call.kind()) {
      case CALLER_HANGS_UP, BOTH_HANG_UP, DELAYED_OFFER, EARLY_MEDIA, REDIRECTED, FORKED ->
          phone.whenUp(dialog, call.talk(), phone::bye);
      case FAIL_OVER, RINGS_LONG -> phone.whenUp(dialog, call.talk(), phone::bye);
      case CANCELLED_AT_ONCE -> loop.schedule(Duration.ofMillis(1), () -> phone.cancel(dialog));
      case CANCELLED_SOMETIME ->
          loop.schedule(Duration.ofMillis(call.draw() % 3_000), () -> phone.cancel(dialog));
      case BYE_WHILE_RINGING -> loop.schedule(Duration.ofSeconds(10), () -> phone.byeEarly(dialog));
      case NO_ACK -> dialog.acknowledges = false;
      case REINVITED, REINVITED_BY_BOTH -> {
        phone.whenUp(dialog, call.talk().dividedBy(2), phone::reinvite);
        phone.whenUp(dialog, call.talk().dividedBy(2).plusMillis(call.draw() % 10_000), phone::bye);
      }
      case DIALOG_LOST -> phone.whenUp(dialog, call.talk(), phone::reinvite);
      // Of a call that is not up nothing is due yet, and its record may be still to come.
      case MEDIA_TIMEOUT -> phone.whenUp(dialog, call.talk(), up -> silence(key));
      case CALLEE_HANGS_UP,
          BUSY,
          DECLINED,
          NO_ANSWER,
          DEAD_CALLEE,
          OVERLOADED,
          FAILS,
          NO_MEDIA,
          NOT_REGISTERED,
          NO_SESSION,
          NOBODY_HANGS_UP -> {}
    }
    if (call.kind() == CallKind.CANCELLED_SOMETIME) {
      phone.whenUp(dialog, call.talk(), phone::bye);
    }
  }

  /** Nothing comes any more: told again and again, as a level is. */
  private void silence(CallKey key) {
    fate.schedule(
        MEDIA_TIMEOUT,
        () -> {
          media.forEach(each -> each.silence(key));
          if (store.peek(key).filter(call -> call.record().termination().isEmpty()).isPresent()) {
            silence(key);
          }
        });
  }

  private static void locate(Uri uri, Loop home, Consumer<Location> answer) {
    Location found =
        uri instanceof SipUri sip
            ? located(sip)
            : new Location.NotFound(Location.Reason.NO_SUCH_NAME, "no names");
    home.execute(() -> answer.accept(found));
  }

  /** Addresses are where they say; {@code farN.test} is at nobody's address and then calleeN's. */
  private static Location located(SipUri uri) {
    Optional<IpAddress> ip = uri.hostIp();
    if (ip.isPresent()) {
      return new Location.Found(List.of(udp(new Endpoint(ip.get(), 5060))));
    }
    String host = uri.host();
    if (!host.startsWith("far")) {
      return new Location.NotFound(Location.Reason.NO_SUCH_NAME, "no names");
    }
    int callee = host.charAt(3) - '0';
    return new Location.Found(
        List.of(udp(NOBODY), udp(Endpoint.of("127.0.2." + (callee + 1), 5060))));
  }

  private static Destination udp(Endpoint to) {
    return Destination.to(TransportProtocol.UDP, to);
  }

  // --- Faults ---

  private void strike(Fault fault) {
    trace.note("fault", fault.toString());
    faults.merge(fault.kind(), 1, Integer::sum);
    ControlHost node = control.get(fault.subject() % control.size());
    MediaHost relay = media.get(fault.other() % media.size());
    switch (fault.kind()) {
      case KILL_CONTROL -> during(fault, node::kill, node::start);
      case KILL_ALL_CONTROL ->
          during(
              fault,
              () -> control.forEach(ControlHost::kill),
              () -> control.forEach(ControlHost::start));
      case PAUSE_CONTROL -> during(fault, node::pause, node::resume);
      case PAUSE_ALL_CONTROL ->
          during(
              fault,
              () -> control.forEach(ControlHost::pause),
              () -> control.forEach(ControlHost::resume));
      case END_CONTROL -> during(fault, () -> node.end(fate), node::start);
      case CUT_MESH -> during(fault, () -> node.cutMesh(true), () -> node.cutMesh(false));
      case STORE_AWAY -> during(fault, () -> store.away(true), () -> store.away(false));
      case STORE_STALLED -> during(fault, () -> store.stalled(true), () -> store.stalled(false));
      case STORE_SLOW ->
          during(fault, () -> store.slow(20 + fault.other() % 400), () -> store.slow(0));
      case STORE_LOSES_REPLIES ->
          during(fault, () -> store.losesReplies(true), () -> store.losesReplies(false));
      case STORE_LOSES_WRITES -> failOver(fault);
      case CUT_STORE -> during(fault, () -> node.cutStore(true), () -> node.cutStore(false));
      case KILL_MEDIA -> during(fault, relay::kill, relay::start);
      case KILL_ALL_MEDIA ->
          during(
              fault, () -> media.forEach(MediaHost::kill), () -> media.forEach(MediaHost::start));
      case PAUSE_MEDIA -> during(fault, () -> relay.pause(true), () -> relay.pause(false));
      case DRAIN_MEDIA -> during(fault, () -> relay.drain(true), () -> relay.drain(false));
      case CUT_MEDIA ->
          during(
              fault,
              () -> relay.cut(node.id().text(), true),
              () -> relay.cut(node.id().text(), false));
      case CUT_PHONE -> {
        Phone phone =
            (fault.other() % 2 == 0 ? callers : callees).get(fault.subject() % Scenario.PHONES);
        during(fault, () -> phone.host().cut(true), () -> phone.host().cut(false));
      }
      case STORM -> during(fault, () -> network.storm(0.5), () -> network.storm(0));
      case LOG_AWAY -> during(fault, () -> log.away(true), () -> log.away(false));
      case LOG_SLOW -> during(fault, () -> log.slow(20 + fault.other()), () -> log.slow(0));
      case LOG_LOSES_REPLIES ->
          during(
              fault, () -> log.losesAcknowledgements(true), () -> log.losesAcknowledgements(false));
      case CUT_LOG -> during(fault, () -> node.cutLog(true), () -> node.cutLog(false));
      case OUTBOX_FULL -> during(fault, () -> full(1 + fault.other() % 4), () -> full(0));
      case KILL_BEFORE_SENDING ->
          during(
              fault,
              () -> node.killAt(EventLog.Moment.BEFORE_SENDING, fate),
              () -> startUnlessAlive(node));
      case KILL_BEFORE_ACKNOWLEDGED ->
          during(
              fault,
              () -> node.killAt(EventLog.Moment.BEFORE_ACKNOWLEDGING, fate),
              () -> startUnlessAlive(node));
    }
  }

  /** Room for so many events while nobody takes any; 0: as ever. */
  private void full(int room) {
    log.away(room > 0);
    store.limitOutboxes(room);
  }

  /** The replica that takes over is up to a second behind, and takes its time. */
  private void failOver(Fault fault) {
    if (failingOver) {
      return;
    }
    failingOver = true;
    Duration behind = min(Duration.ofMillis(1 + fault.other()), fault.lasts().dividedBy(2));
    Runnable lose = store.runAhead();
    fate.schedule(
        behind,
        () -> {
          trace.note("fault", "what was written in the last " + behind.toMillis() + " ms is lost");
          lose.run();
          store.away(true);
          ownersAsTheyStand();
          fate.schedule(
              fault.lasts().minus(behind),
              () -> {
                trace.note("fault", "the store is another");
                failingOver = false;
                store.away(false);
                control.forEach(ControlHost::storeFailedOver);
              });
        });
  }

  /** Who has which call in flight, by the records that are left. */
  private void ownersAsTheyStand() {
    for (CallKey call : byKey.keySet()) {
      Optional<Versioned<Call>> left = store.peek(call);
      owners.failedOver(call, left.flatMap(Versioned::owner).map(ControlHost::startOf));
    }
  }

  private static void startUnlessAlive(ControlHost node) {
    node.spare();
    node.start();
  }

  private void during(Fault fault, Runnable begin, Runnable end) {
    begin.run();
    fate.schedule(
        fault.lasts(),
        () -> {
          trace.note("fault", fault.kind() + " is over");
          end.run();
        });
  }

  // --- What is seen ---

  private void sent(Network.Sent sent) {
    if (sent.from().address().equals(EDGE)) {
      refusals.sent(sent.from().name(), sent.message());
      invariants.forEach(each -> each.sent(sent.from().name(), sent));
    }
  }

  private void heard(Network.Sent sent) {
    invariants.forEach(each -> each.heard(sent));
  }

  private boolean runs(String start) {
    return control.stream().anyMatch(each -> each.runs(start));
  }

  private void committed(String by, CallCommit<Call> commit, long version) {
    CallKey call = commit.call();
    Optional<Call> record = commit.record();
    Optional<String> owner = commit.index().owner().map(ControlHost::startOf);
    owners.committed(call, by, record.isPresent() ? owner : Optional.empty(), time.elapsed());
    forgotten.stands(call);
    PlannedCall plan = byKey.get(call);
    if (plan != null && record.flatMap(Call::termination).isPresent()) {
      refusals.ended(plan.number());
    }
    trace.note(
        by,
        () ->
            "commits "
                + call
                + " as version "
                + version
                + ", in flight on "
                + owner.orElse("none")
                + record.flatMap(Call::termination).map(end -> ", " + end).orElse("")
                + (commit.events().isEmpty() ? "" : ", tells " + told(commit.events())));
    invariants.forEach(each -> each.committed(commit));
    if (!commits.add(call + " " + commit.id())) {
      // It was lost and sent again: its events have the ids that they had.
      return;
    }
    for (CallEvent event : commit.events()) {
      if (event.hasStarted()) {
        calls++;
      }
      invariants.forEach(each -> each.told(new OutboxEvent.OfCall(event)));
      invariants.forEach(each -> each.happened(call, event));
    }
  }

  private void arrived(String by, OutboxEvent event) {
    invariants.forEach(each -> each.arrived(event));
  }

  /** What the store has taken. */
  private final class Committed implements Store.Observer {
    @Override
    public void committed(String by, CallCommit<Call> commit, long version) {
      Simulation.this.committed(by, commit, version);
    }

    @Override
    public void restored(String by, CallRestore<Call> restore) {
      Simulation.this.restored(by, restore);
    }

    @Override
    public void lost(String by, CallCommit<Call> commit) {
      CallKey call = commit.call();
      if (store.peek(call).isEmpty()) {
        forgotten.lost(call, by);
      }
      forgotten.lost(call, by, commit.events().stream().map(CallEvent::getEventId).toList());
      trace.note("store", "has lost a commit of " + by + " to " + call);
    }

    @Override
    public void registered(String by, RegistrationCommit commit) {
      for (RegistrationEvent event : commit.events()) {
        invariants.forEach(each -> each.told(new OutboxEvent.OfRegistration(event)));
      }
    }
  }

  private void restored(String by, CallRestore<Call> restore) {
    CallKey call = restore.call();
    Optional<String> owner = restore.index().owner().map(ControlHost::startOf);
    owners.stands(call, owner);
    forgotten.stands(call);
    trace.note(
        by,
        "writes "
            + call
            + " back as version "
            + restore.ours().version()
            + ", in flight on "
            + owner.orElse("none")
            + (restore.events().isEmpty() ? "" : ", tells " + told(restore.events())));
  }

  private static String told(List<CallEvent> events) {
    return String.join(
        " ", events.stream().map(event -> event.getSeq() + ":" + event.getEventCase()).toList());
  }

  /** Leases end by themselves; where nothing fails, none is left to do so. */
  private boolean isAtRest() {
    return store.size() == 0 && leftovers(!scenario.faults().isEmpty()).isEmpty();
  }

  private Optional<String> leftovers(boolean leases) {
    var left = new ArrayList<String>();
    for (ControlHost host : control) {
      host.leftovers().ifPresent(left::add);
    }
    for (MediaHost host : media) {
      left.addAll(host.violations());
      if (host.sessions() + host.boundPorts() + host.lentPairs() > 0) {
        left.add(
            host.id()
                + " has "
                + host.sessions()
                + " sessions, "
                + host.boundPorts()
                + " bound ports, "
                + host.lentPairs()
                + " lent pairs");
      }
    }
    if (store.size() > 0) {
      left.add("the store has " + store.size() + " records");
    }
    if (store.timers() > 0) {
      left.add("the store has " + store.timers() + " timers");
    }
    if (leases && store.leases() > 0) {
      left.add("the store has " + store.leases() + " leases");
    }
    for (int number = 0; number < Partition.COUNT; number++) {
      long untold = store.outbox(new Partition(number));
      if (untold > 0) {
        left.add("the outbox of partition " + number + " has " + untold + " events");
      }
      int indexed =
          store.indexed(
              new Partition(number),
              control.stream().map(ControlHost::id).toList(),
              media.stream().map(MediaHost::id).toList());
      if (indexed > 0) {
        left.add("partition " + number + " has " + indexed + " entries in its indexes");
      }
    }
    var phones = new ArrayList<>(callers);
    phones.addAll(callees);
    phones.add(deputy);
    for (Phone phone : phones) {
      // A caller waits for as long as it likes: for ever, where nobody knows of its call.
      long open = phone.open() - waiting(phone);
      if (open > 0) {
        left.add(phone.name() + " has " + open + " transactions");
      }
    }
    return left.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", left));
  }

  /** How many of a caller's calls are forgotten. */
  private int waiting(Phone phone) {
    int waiting = 0;
    for (Map.Entry<CallKey, PlannedCall> each : byKey.entrySet()) {
      if (callers.get(each.getValue().caller()) == phone && forgotten.isForgotten(each.getKey())) {
        waiting++;
      }
    }
    return waiting;
  }

  /** What invariants look at. */
  private final class Looked implements Invariant.View {
    @Override
    public Duration now() {
      return time.elapsed();
    }

    @Override
    public Instant began() {
      return time.now().minus(time.elapsed());
    }

    @Override
    public Scenario scenario() {
      return scenario;
    }

    @Override
    public Optional<PlannedCall> plan(CallKey call) {
      return Optional.ofNullable(byKey.get(call));
    }

    @Override
    public Optional<String> owner(CallKey call) {
      return owners.of(call);
    }

    @Override
    public boolean hasLost(CallKey call, String start) {
      return owners.hasLost(call, start);
    }

    @Override
    public boolean hasJustGivenUp(CallKey call, String start) {
      return owners.hasJustGivenUp(call, start, time.elapsed());
    }

    @Override
    public boolean isRefusalLost(int call) {
      return refusals.isLost(call);
    }

    @Override
    public boolean isForgotten(CallKey call) {
      return forgotten.isForgotten(call);
    }

    @Override
    public boolean wasForgotten(CallKey call) {
      return forgotten.wasForgotten(call);
    }

    @Override
    public boolean isForgotten(String event) {
      return forgotten.isForgotten(event);
    }

    @Override
    public boolean wasSetBack(CallKey call) {
      return forgotten.wasSetBack(call);
    }

    @Override
    public boolean wasSetBack(int call) {
      return byKey.entrySet().stream()
          .anyMatch(
              each -> each.getValue().number() == call && forgotten.wasSetBack(each.getKey()));
    }

    @Override
    public boolean isForgotten(int call) {
      return byKey.entrySet().stream()
          .anyMatch(
              each -> each.getValue().number() == call && forgotten.isForgotten(each.getKey()));
    }

    @Override
    public Invariant.Outbox outbox(CallKey call) {
      return new Invariant.Outbox(store.outbox(Partition.of(call)), store.outboxLimit());
    }

    @Override
    public Optional<Invariant.Measured> measured() {
      return control.stream().filter(ControlHost::isUp).findFirst().flatMap(ControlHost::outboxes);
    }

    @Override
    public void at(Duration when, Runnable look) {
      Simulation.this.at(when, look);
    }

    @Override
    public void violated(Invariant which, String how) {
      trace.note("VIOLATED", which.says() + ": " + how);
      violations.add(which.says() + ": " + how);
    }

    @Override
    public Optional<String> leftovers() {
      return Simulation.this.leftovers(true);
    }
  }

  /** What phones know of plans and tell of calls. */
  private final class Phones implements Phone.Plans, Phone.Observer {
    @Override
    public PlannedCall of(int number) {
      PlannedCall plan = planned.get(number);
      if (plan == null) {
        throw new IllegalStateException("Expected a planned call, but got " + number);
      }
      return plan;
    }

    @Override
    public Endpoint deputy() {
      return DEPUTY;
    }

    @Override
    public void up(int call, Phone phone, boolean caller) {
      trace.note(phone.name(), () -> "takes call " + call + " for up");
      ups.merge(call, 1, Integer::sum);
      invariants.forEach(each -> each.up(call, caller));
    }

    @Override
    public void over(int call, Phone phone, boolean caller) {
      trace.note(phone.name(), () -> "takes call " + call + " for over");
      invariants.forEach(each -> each.over(call, caller));
    }

    @Override
    public void notAcknowledged(int call, Phone phone, long cSeq) {
      trace.note(phone.name(), "has no ACK for its 2xx of call " + call);
      if (of(call).kind() != CallKind.NO_ACK) {
        invariants.forEach(each -> each.notAcknowledged(call, phone, cSeq));
      }
    }

    @Override
    public void expired(int call, Phone phone, SipRequest invite) {
      trace.note(phone.name(), () -> "rings for call " + call + " until its INVITE expires");
      invariants.forEach(each -> each.expired(call, phone.name(), invite));
    }

    @Override
    public void answered(Phone phone, SipResponse response) {}
  }

  /** What nodes tell of their calls. */
  private final class Observed implements CallObserver {
    @Override
    public void happened(CallKey call, CallHappening happening) {}

    @Override
    public void defect(CallKey call, String where, RuntimeException defect) {
      trace.note("DEFECT", call + " in " + where + ": " + defect);
      invariants.forEach(each -> each.defect(call, where + ": " + defect));
    }

    @Override
    public void dropped(CallKey call, Drop why) {
      trace.note("dropped", () -> call + ": " + why);
      if (!isDue(why)) {
        invariants.forEach(each -> each.defect(call, "dropped: " + why));
      }
    }

    /** Whether something is wrong with the store for which it is right to drop what comes. */
    private boolean isDue(Drop why) {
      return switch (why) {
        case STORE_UNAVAILABLE -> true;
        case OUTBOX_FULL ->
            scenario.isStruck(time.elapsed().minus(BEGIN), kind -> kind == Fault.Kind.OUTBOX_FULL);
        case MAILBOX_FULL, CONTENDED -> false;
      };
    }
  }
}
