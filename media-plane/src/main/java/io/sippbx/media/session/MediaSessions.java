package io.sippbx.media.session;

import io.sippbx.media.port.PortLedger;
import io.sippbx.media.port.PortPair;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.session.Answer.Refusal;
import io.sippbx.media.session.MediaSession.OpenStream;
import io.sippbx.media.session.SessionEvent.Expiry;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * All sessions of the node. An Apply makes one exactly what its spec says, or is refused and
 * changes nothing; a Release ends one. What is asked for one session is done and answered in the
 * order in which it was asked, since the relay takes its time; sessions do not wait for each other.
 *
 * <p>Confined to the {@link NodeLoop}: every method is called there, and every answer and event is
 * given there, some before the method returns. {@link #tick} is to be called several times a
 * second.
 */
public final class MediaSessions {

  /** How often sessions are looked at for orphans, at most. */
  private static final long ORPHAN_SWEEP_NS = Duration.ofSeconds(10).toNanos();

  private final SessionSettings settings;
  private final PortPool pool;
  private final SessionPath path;
  private final NodeLoop loop;
  private final SessionListener listener;

  /** Sorted, so that a list of them can be had in pages. */
  private final TreeMap<CallKey, SessionEntry> entries = new TreeMap<>();

  private final Tombstones tombstones;
  private final Claims claims;
  private final Silences silences;
  private final EnumMap<Refusal, Long> refusals = new EnumMap<>(Refusal.class);
  private final long runningFromNs;
  private boolean restoring;
  private boolean draining;
  private int held;
  private long nextOrphanSweepNs;

  private long opened;
  private long released;
  private long expiredUnconfirmed;
  private long expiredOrphaned;
  private long broken;
  private long bindFailures;

  /** A table without sessions, restoring from now on if the settings say so. */
  public MediaSessions(
      SessionSettings settings,
      PortPool pool,
      SessionPath path,
      NodeLoop loop,
      SessionListener listener) {
    this.settings = settings;
    this.pool = pool;
    this.path = path;
    this.loop = loop;
    this.listener = listener;
    tombstones = new Tombstones(settings, loop);
    claims = new Claims(loop);
    silences = new Silences(settings, path, loop, claims, listener);
    long nowNs = loop.nowNs();
    runningFromNs = nowNs + settings.restoring().toNanos();
    restoring = settings.restoring().isPositive();
    nextOrphanSweepNs = nowNs + ORPHAN_SWEEP_NS;
  }

  // --- What control nodes ask for ---

  /** Makes the node hold exactly {@code spec}, which {@code from} claims by it. */
  public void apply(SessionSpec spec, ControlNode from, Consumer<Answer> answer) {
    submit(spec.call(), new SessionRequest.Apply(spec, from, answer), answer);
  }

  /** Ends a session, if it is held at {@code revision} or below. */
  public void release(CallKey call, long revision, Consumer<Answer> answer) {
    submit(call, new SessionRequest.Release(revision, answer), answer);
  }

  /** {@code from} knows these sessions; those that are not held are ignored. */
  public void claim(ControlNode from, List<CallKey> calls) {
    for (CallKey call : calls) {
      SessionEntry entry = entries.get(call);
      if (entry != null && entry.session != null) {
        claims.claim(entry, from);
      }
    }
  }

  /** A stream of a control node has been opened. */
  public void connected(ControlNode node) {
    claims.connected(node);
  }

  /** A stream of a control node has ended, for which {@link #connected} was called. */
  public void disconnected(ControlNode node) {
    claims.disconnected(node, entries.values());
  }

  /** Nobody's session is yet to come back: the node takes new ones from now on. */
  public void restored() {
    NodeState before = state();
    restoring = false;
    tellState(before);
  }

  /** Takes no new sessions from now on, or does so again. */
  public void drain(boolean drain) {
    NodeState before = state();
    draining = drain;
    tellState(before);
  }

  /** Ends all sessions, telling nobody, and takes no new ones. */
  public void stop() {
    drain(true);
    for (SessionEntry entry : List.copyOf(entries.values())) {
      entry.waiting.add(new SessionRequest.Stop());
      next(entry);
    }
  }

  // --- What the node is asked about ---

  /** The session as it is held, if it is. */
  public Optional<SessionState> get(CallKey call) {
    SessionEntry entry = entries.get(call);
    return entry == null || entry.session == null ? Optional.empty() : Optional.of(stateOf(entry));
  }

  /**
   * Hands sessions to {@code page} in the order of their keys, until it has enough.
   *
   * @param after the key that the first one follows; empty: from the beginning
   * @return whether {@code page} stopped it
   */
  public boolean list(Optional<CallKey> after, Predicate<SessionState> page) {
    var rest = after.isPresent() ? entries.tailMap(after.get(), false) : entries;
    for (SessionEntry entry : rest.values()) {
      if (entry.session != null && !page.test(stateOf(entry))) {
        return true;
      }
    }
    return false;
  }

  /** What the node takes. */
  public NodeState state() {
    if (draining) {
      return NodeState.DRAINING;
    }
    return restoring ? NodeState.RESTORING : NodeState.RUNNING;
  }

  /** Sessions that are held or being opened. */
  public int size() {
    return held;
  }

  /** The limit of {@link #size}. */
  public int limit() {
    return settings.maxSessions();
  }

  /** Where the port pairs are. */
  public PortLedger ledger() {
    return pool.ledger(loop.nowNs());
  }

  /** Where the port pairs of one IP version are. */
  public PortLedger ledger(boolean v6) {
    return pool.ledger(v6, loop.nowNs());
  }

  /**
   * The pairs that sessions hold, which are those that are lent while no request is under way: the
   * law that no port leaks.
   */
  public int pairsOfSessions() {
    int pairs = 0;
    for (SessionEntry entry : entries.values()) {
      if (entry.session != null) {
        pairs += 2 * entry.session.streams().size();
      }
    }
    return pairs;
  }

  /** Whether no request is under way or waits. */
  public boolean isQuiet() {
    for (SessionEntry entry : entries.values()) {
      if (entry.busy) {
        return false;
      }
    }
    return true;
  }

  /** Call keys that are remembered after their end. */
  public int tombstones() {
    return tombstones.size();
  }

  /** What happened since the start. */
  public SessionCounters counters() {
    return new SessionCounters(
        opened,
        released,
        expiredUnconfirmed,
        expiredOrphaned,
        broken,
        bindFailures,
        tombstones.forgotten(),
        silences.firstPackets(),
        silences.mediaTimeouts(),
        refusals);
  }

  // --- What the relay saw ---

  /** The first packet of an end came. */
  public void firstPacket(CallKey call, int streamIndex, End end) {
    SessionEntry entry = entries.get(call);
    if (entry != null && entry.session != null) {
      silences.firstPacket(entry, entry.session, streamIndex, end);
    }
  }

  /** Nothing came for the media time-out. */
  public void mediaTimeout(CallKey call) {
    SessionEntry entry = entries.get(call);
    if (entry != null && entry.session != null) {
      silences.mediaTimeout(entry, entry.session);
    }
  }

  // --- Time ---

  /** Ends what nobody asks for any more, and tells again of what is silent. */
  public void tick() {
    long nowNs = loop.nowNs();
    if (restoring && nowNs - runningFromNs >= 0) {
      restored();
    }
    tombstones.expire(nowNs);
    boolean orphans = nowNs - nextOrphanSweepNs >= 0;
    if (orphans) {
      nextOrphanSweepNs = nowNs + ORPHAN_SWEEP_NS;
    }
    // A copy: ending a session may take its entry out at once.
    for (SessionEntry entry : List.copyOf(entries.values())) {
      MediaSession session = entry.session;
      if (session == null || entry.busy) {
        continue;
      }
      if (isUnconfirmedTooLong(session, nowNs)) {
        submitEnd(entry, Expiry.UNCONFIRMED);
      } else if (orphans && silences.isOrphan(entry, nowNs)) {
        submitEnd(entry, Expiry.ORPHANED);
      } else if (entry.timedOut) {
        silences.repeatTimeout(entry, session, nowNs);
      }
    }
  }

  private boolean isUnconfirmedTooLong(MediaSession session, long nowNs) {
    return !session.spec().confirmed()
        && nowNs - session.specNs() >= settings.unconfirmedExpiry().toNanos();
  }

  // --- One request after the other ---

  private void submit(CallKey call, SessionRequest request, Consumer<Answer> answer) {
    SessionEntry entry = entries.computeIfAbsent(call, SessionEntry::new);
    if (entry.waiting.size() >= settings.maxWaiting()) {
      refuse(
          answer,
          Refusal.OVERLOADED,
          "Expected at most " + settings.maxWaiting() + " requests to wait for one session",
          0);
      return;
    }
    entry.waiting.add(request);
    next(entry);
  }

  private void submitEnd(SessionEntry entry, Expiry reason) {
    entry.waiting.add(new SessionRequest.End(reason));
    next(entry);
  }

  /** Takes waiting requests until one has to wait for the relay, or none is left. */
  private void next(SessionEntry entry) {
    while (!entry.busy) {
      SessionRequest request = entry.waiting.poll();
      if (request == null) {
        if (entry.session == null) {
          entries.remove(entry.call);
        }
        return;
      }
      entry.busy = true;
      switch (request) {
        case SessionRequest.Apply apply -> start(entry, apply);
        case SessionRequest.Release release -> start(entry, release);
        case SessionRequest.End end -> start(entry, end);
        case SessionRequest.Stop ignored -> stop(entry);
      }
    }
  }

  /** The request under way is done: {@code answered} has told so, where somebody is to be told. */
  private void done(SessionEntry entry) {
    entry.busy = false;
  }

  private void start(SessionEntry entry, SessionRequest.Apply apply) {
    SessionSpec spec = apply.spec();
    MediaSession session = entry.session;
    if (session == null) {
      open(entry, apply);
      return;
    }
    long heldRevision = session.spec().revision();
    if (spec.revision() < heldRevision) {
      refuse(
          apply.answer(),
          Refusal.STALE_REVISION,
          "Expected a revision from " + heldRevision + ", but got " + spec.revision(),
          heldRevision);
      done(entry);
    } else if (spec.revision() > heldRevision) {
      change(entry, session, apply);
    } else if (spec.equals(session.spec())) {
      claims.claim(entry, apply.from());
      apply.answer().accept(new Answer.Done(stateOf(entry)));
      done(entry);
    } else {
      refuse(
          apply.answer(),
          Refusal.REVISION_REUSED,
          "Expected the spec that is held at revision " + heldRevision + ", but got another",
          heldRevision);
      done(entry);
    }
  }

  private void open(SessionEntry entry, SessionRequest.Apply apply) {
    SessionSpec spec = apply.spec();
    Tombstones.Tombstone tombstone = tombstones.get(entry.call);
    if (tombstone != null && (tombstone.refusesAll() || spec.revision() <= tombstone.revision())) {
      refuse(
          apply.answer(),
          Refusal.RELEASED,
          "Expected a session that was not ended at revision " + tombstone.revision(),
          tombstone.revision());
      done(entry);
      return;
    }
    if (draining) {
      refuse(apply.answer(), Refusal.DRAINING, "The node takes no new sessions", 0);
      done(entry);
      return;
    }
    if (restoring && spec.streams().isEmpty()) {
      refuse(apply.answer(), Refusal.RESTORING, "The node has just started", 0);
      done(entry);
      return;
    }
    if (held >= settings.maxSessions()) {
      refuse(
          apply.answer(),
          Refusal.TOO_MANY_SESSIONS,
          "The node holds " + held + " sessions, its limit",
          0);
      done(entry);
      return;
    }
    held++;
    entry.opening = true;
    change(entry, null, apply);
  }

  /** An Apply under way. */
  private final class Change {
    final SessionEntry entry;
    final @Nullable MediaSession before;
    final SessionRequest.Apply apply;
    final PortLoan loan;

    Change(SessionEntry entry, @Nullable MediaSession before, SessionRequest.Apply apply) {
      this.entry = entry;
      this.before = before;
      this.apply = apply;
      loan = new PortLoan(settings, pool, loop, before, restoring);
    }

    void begin() {
      Optional<Answer.Refused> refused = loan.lend(apply.spec());
      if (refused.isPresent()) {
        fail(refused.get());
      } else {
        bind();
      }
    }

    /** Refuses: everything that was lent goes back, and the session is as before. */
    void fail(Refusal refusal, String detail) {
      fail(new Answer.Refused(refusal, detail, 0));
    }

    private void fail(Answer.Refused refused) {
      loan.undo();
      if (entry.opening) {
        entry.opening = false;
        held--;
      }
      refuse(apply.answer(), refused.refusal(), refused.detail(), 0);
      done(entry);
    }

    void bind() {
      List<OpenStream> streams = loan.streams();
      var ports = MediaSession.ports(streams);
      var plan = MediaSession.plan(streams, apply.spec().mediaTimeout());
      Consumer<OpenResult> answer = result -> loop.execute(() -> bound(result));
      if (before == null) {
        path.open(entry.call, ports, plan, answer);
      } else if (loan.isEmpty() && streams.size() == before.streams().size()) {
        if (path.update(entry.call, plan)) {
          carriedOut();
        } else {
          lost();
        }
      } else {
        path.rebind(entry.call, ports, plan, answer);
      }
    }

    private void bound(OpenResult result) {
      switch (result) {
        case OpenResult.Opened ignored -> carriedOut();
        case OpenResult.BindFailed failed -> bindFailed(failed);
        case OpenResult.Refused(OpenResult.Refusal reason) -> {
          switch (reason) {
            case TOO_MANY_SESSIONS ->
                fail(Refusal.TOO_MANY_SESSIONS, "The relay has reached its limit of sessions");
            case CLOSED -> {
              if (before == null) {
                fail(Refusal.DRAINING, "The relay has been closed");
              } else {
                lost();
              }
            }
          }
        }
      }
      next(entry);
    }

    private void bindFailed(OpenResult.BindFailed failed) {
      PortPair pair = loan.pairOf(failed.endpoint());
      switch (failed.failure()) {
        case ADDRESS_IN_USE -> {
          if (pair == null) {
            fail(Refusal.PORTS_EXHAUSTED, "Cannot bind " + failed.endpoint() + ": in use");
          } else {
            bindFailures++;
            Optional<Answer.Refused> refused = loan.replace(pair);
            if (refused.isPresent()) {
              fail(refused.get());
            } else {
              bind();
            }
          }
        }
        case ADDRESS_NOT_AVAILABLE ->
            fail(
                Refusal.FAMILY_UNAVAILABLE,
                "Cannot bind " + failed.endpoint() + ": the address is none of this host's");
        case TOO_MANY_OPEN_FILES ->
            fail(
                Refusal.OVERLOADED,
                "Cannot bind " + failed.endpoint() + ": the limit of open files is reached");
        case NOT_PERMITTED, OTHER ->
            fail(
                Refusal.PORTS_EXHAUSTED,
                "Cannot bind " + failed.endpoint() + ": " + failed.detail());
      }
    }

    private void carriedOut() {
      long nowNs = loop.nowNs();
      if (before == null) {
        entry.opening = false;
        opened++;
      } else {
        var keeps = MediaSession.pairs(loan.streams());
        for (PortPair pair : before.pairs()) {
          if (!keeps.contains(pair)) {
            pool.giveBack(pair, nowNs);
          }
        }
      }
      entry.session = new MediaSession(apply.spec(), loan.streams(), nowNs);
      // What is silent under the new spec too is told again, but not before its time.
      entry.timedOut = entry.timedOut && entry.session.owesPackets();
      entry.timedOutNs = nowNs;
      claims.claim(entry, apply.from());
      apply.answer().accept(new Answer.Done(stateOf(entry)));
      done(entry);
    }

    /** The relay does not have the session that this node holds: it ends, the node lives. */
    private void lost() {
      MediaSession session = Objects.requireNonNull(before);
      loan.undo();
      ended(entry, session, new SessionCounts(List.of()), Optional.of(Expiry.BROKEN), 0);
      refuse(
          apply.answer(),
          Refusal.RELEASED,
          "The relay has lost the session",
          session.spec().revision());
      done(entry);
    }
  }

  private void change(
      SessionEntry entry, @Nullable MediaSession before, SessionRequest.Apply apply) {
    new Change(entry, before, apply).begin();
  }

  private void start(SessionEntry entry, SessionRequest.Release release) {
    MediaSession session = entry.session;
    if (session == null) {
      Tombstones.Tombstone tombstone = tombstones.get(entry.call);
      SessionState last =
          tombstone == null ? SessionState.none(entry.call, release.revision()) : tombstone.last();
      // A later Release moves the revision up, and the end of the tombstone with it.
      if (tombstone == null || release.revision() > tombstone.revision()) {
        tombstones.bury(
            entry.call, release.revision(), tombstone != null && tombstone.refusesAll(), last);
      }
      release.answer().accept(new Answer.Done(last));
      done(entry);
      return;
    }
    long heldRevision = session.spec().revision();
    if (release.revision() < heldRevision) {
      refuse(
          release.answer(),
          Refusal.STALE_REVISION,
          "Expected a revision from " + heldRevision + ", but got " + release.revision(),
          heldRevision);
      done(entry);
      return;
    }
    path.close(
        entry.call,
        counts ->
            loop.execute(
                () -> {
                  released++;
                  SessionState last =
                      ended(entry, session, counts, Optional.empty(), release.revision());
                  release.answer().accept(new Answer.Done(last));
                  done(entry);
                  next(entry);
                }));
  }

  private void start(SessionEntry entry, SessionRequest.End end) {
    MediaSession session = entry.session;
    long nowNs = loop.nowNs();
    boolean stillDue =
        session != null
            && switch (end.reason()) {
              case UNCONFIRMED -> isUnconfirmedTooLong(session, nowNs);
              case ORPHANED -> silences.isOrphan(entry, nowNs);
              case BROKEN -> true;
            };
    if (session == null || !stillDue) {
      done(entry);
      return;
    }
    path.close(
        entry.call,
        counts ->
            loop.execute(
                () -> {
                  ended(entry, session, counts, Optional.of(end.reason()), 0);
                  done(entry);
                  next(entry);
                }));
  }

  private void stop(SessionEntry entry) {
    MediaSession session = entry.session;
    if (session == null) {
      done(entry);
      return;
    }
    path.close(
        entry.call,
        counts ->
            loop.execute(
                () -> {
                  ended(entry, session, counts, Optional.empty(), 0);
                  done(entry);
                  next(entry);
                }));
  }

  /** The session's sockets are closed: pairs go to rest, and a tombstone stays. */
  private SessionState ended(
      SessionEntry entry,
      MediaSession session,
      SessionCounts counts,
      Optional<Expiry> byItself,
      long releaseRevision) {
    long nowNs = loop.nowNs();
    for (PortPair pair : session.pairs()) {
      pool.giveBack(pair, nowNs);
    }
    held--;
    entry.session = null;
    SessionState last = session.state(Optional.of(counts), entry.timedOut);
    long revision = Math.max(session.spec().revision(), releaseRevision);
    tombstones.bury(entry.call, revision, byItself.isPresent(), last);
    if (byItself.isPresent()) {
      switch (byItself.get()) {
        case UNCONFIRMED -> expiredUnconfirmed++;
        case ORPHANED -> expiredOrphaned++;
        case BROKEN -> broken++;
      }
      listener.event(
          new SessionEvent.Expired(entry.call, revision, byItself.get()), claims.claimant(entry));
    }
    return last;
  }

  // --- Small things ---

  private SessionState stateOf(SessionEntry entry) {
    MediaSession session = Objects.requireNonNull(entry.session);
    return session.state(path.counts(entry.call), entry.timedOut);
  }

  private void tellState(NodeState before) {
    if (state() != before) {
      listener.stateChanged(state());
    }
  }

  private void refuse(Consumer<Answer> answer, Refusal refusal, String detail, long heldRevision) {
    refusals.merge(refusal, 1L, Long::sum);
    answer.accept(new Answer.Refused(refusal, detail, heldRevision));
  }
}
