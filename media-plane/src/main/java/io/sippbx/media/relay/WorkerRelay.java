package io.sippbx.media.relay;

import io.sippbx.media.relay.OpenResult.Refusal;
import io.sippbx.media.relay.OpenResult.Refused;
import io.sippbx.media.relay.RelaySession.Opening;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/** The relay: finds the worker of a session, and gives a new one to the worker with the fewest. */
public final class WorkerRelay implements Relay {

  private final String adapter;
  private final RelaySettings settings;
  private final List<RelayWorker> workers = new ArrayList<>();
  private final ConcurrentHashMap<CallKey, RelaySession> sessions = new ConcurrentHashMap<>();
  private final AtomicInteger live = new AtomicInteger();
  private final AtomicLong refusals = new AtomicLong();
  private volatile boolean isClosed;

  /**
   * Starts the workers.
   *
   * @param adapter name of the loops' adapter
   * @param loops makes the loop of worker 0, 1, ...; each is stopped by {@link #close}
   */
  public WorkerRelay(
      String adapter,
      RelaySettings settings,
      RelayListener listener,
      IntFunction<PacketLoop> loops) {
    this.adapter = adapter;
    this.settings = settings;
    for (int i = 0; i < settings.workers(); i++) {
      workers.add(new RelayWorker(loops.apply(i), settings, listener, this::ended));
    }
    workers.forEach(RelayWorker::start);
  }

  @Override
  public void open(
      CallKey key, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    if (isClosed) {
      answer.accept(new Refused(Refusal.CLOSED));
      return;
    }
    if (live.incrementAndGet() > settings.maxSessions()) {
      live.decrementAndGet();
      refusals.incrementAndGet();
      answer.accept(new Refused(Refusal.TOO_MANY_SESSIONS));
      return;
    }
    RelayWorker worker = leastLoaded();
    var session = new RelaySession(key, worker);
    if (sessions.putIfAbsent(key, session) != null) {
      live.decrementAndGet();
      throw new IllegalStateException("Expected a session that is not open, but got " + key);
    }
    worker.sessionCount.incrementAndGet();
    session.askToOpen(new Opening(ports, plan, answer));
  }

  private RelayWorker leastLoaded() {
    RelayWorker least = workers.getFirst();
    for (RelayWorker worker : workers) {
      if (worker.sessionCount.get() < least.sessionCount.get()) {
        least = worker;
      }
    }
    return least;
  }

  @Override
  public void rebind(
      CallKey key, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    RelaySession session = sessions.get(key);
    if (session == null) {
      answer.accept(new Refused(Refusal.CLOSED));
    } else {
      session.askToOpen(new Opening(ports, plan, answer));
    }
  }

  @Override
  public boolean update(CallKey key, SessionPlan plan) {
    RelaySession session = sessions.get(key);
    if (session == null) {
      return false;
    }
    session.askToFollow(plan);
    return true;
  }

  @Override
  public void close(CallKey key, Consumer<SessionCounts> lastCounts) {
    RelaySession session = sessions.remove(key);
    if (session == null) {
      lastCounts.accept(new SessionCounts(List.of()));
    } else {
      session.askToClose(lastCounts);
    }
  }

  private void ended(RelaySession session) {
    sessions.remove(session.key, session);
    live.decrementAndGet();
  }

  @Override
  public Optional<SessionCounts> counts(CallKey key) {
    RelaySession session = sessions.get(key);
    return session != null && session.isOpen() ? Optional.of(session.counts()) : Optional.empty();
  }

  @Override
  public RelayCounts counts() {
    return new RelayCounts(
        sessions(),
        (int) sum(RelayWorker.SOCKETS),
        sum(RelayWorker.RTP_PACKETS),
        sum(RelayWorker.RTP_BYTES),
        sum(RelayWorker.RTCP_PACKETS),
        sum(RelayWorker.OTHER_PACKETS),
        sum(RelayWorker.SENT_PACKETS),
        sum(RelayWorker.SENT_BYTES),
        sum(RelayWorker.STRAY),
        sum(RelayWorker.INVALID),
        sum(RelayWorker.STUN),
        sum(RelayWorker.DIRECTION),
        sum(RelayWorker.UNSENT),
        sum(RelayWorker.BY_KERNEL),
        sum(RelayWorker.BIND_FAILURES),
        refusals.get(),
        workers.stream().mapToLong(worker -> worker.defects.get()).sum());
  }

  private long sum(int slot) {
    long sum = 0;
    for (RelayWorker worker : workers) {
      sum += worker.tally.get(slot);
    }
    return sum;
  }

  @Override
  public int sessions() {
    return live.get();
  }

  @Override
  public String adapter() {
    return adapter;
  }

  @Override
  public void close() {
    isClosed = true;
    workers.forEach(RelayWorker::stop);
    sessions.clear();
    live.set(0);
  }
}
