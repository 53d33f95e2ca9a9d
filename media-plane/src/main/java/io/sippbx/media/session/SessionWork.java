package io.sippbx.media.session;

import io.sippbx.media.port.PortPair;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.session.Answer.Refusal;
import io.sippbx.media.session.MediaSession.OpenStream;
import io.sippbx.media.session.SessionEvent.Expiry;
import io.sippbx.shared.identity.CallKey;
import java.util.EnumMap;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries out what is asked for sessions: for each one request after the other, in their order,
 * since the relay takes its time; sessions do not wait for each other. Confined to the {@link
 * NodeLoop}.
 */
final class SessionWork {

  private final SessionSettings settings;
  private final PortPool pool;
  private final SessionPath path;
  private final NodeLoop loop;
  private final SessionListener listener;
  private final Intake intake;
  private final Tombstones tombstones;
  private final Claims claims;
  private final Silences silences;

  /** Sorted, so that a list of them can be had in pages. */
  private final TreeMap<CallKey, SessionEntry> entries = new TreeMap<>();

  private final EnumMap<Refusal, Long> refusals = new EnumMap<>(Refusal.class);
  private int held;
  private long opened;
  private long released;
  private long expiredUnconfirmed;
  private long expiredOrphaned;
  private long broken;
  private long bindFailures;

  SessionWork(
      SessionSettings settings,
      PortPool pool,
      SessionPath path,
      NodeLoop loop,
      SessionListener listener,
      Intake intake,
      Claims claims,
      Silences silences) {
    this.settings = settings;
    this.pool = pool;
    this.path = path;
    this.loop = loop;
    this.listener = listener;
    this.intake = intake;
    this.claims = claims;
    this.silences = silences;
    tombstones = new Tombstones(settings, loop);
  }

  /** Sessions with what is under way for them; not to be changed. */
  NavigableMap<CallKey, SessionEntry> entries() {
    return entries;
  }

  /** Sessions that are held or being opened. */
  int held() {
    return held;
  }

  Tombstones tombstones() {
    return tombstones;
  }

  /** Whether no request is under way or waits. */
  boolean isQuiet() {
    for (SessionEntry entry : entries.values()) {
      if (entry.busy) {
        return false;
      }
    }
    return true;
  }

  /** What happened since the start. */
  SessionCounters counters() {
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

  void submit(CallKey call, SessionRequest request, Consumer<Answer> answer) {
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

  /** Ends a session by itself, if that is still due when its turn comes. */
  void submitEnd(SessionEntry entry, Expiry reason) {
    entry.waiting.add(new SessionRequest.End(reason));
    next(entry);
  }

  /** Ends a session when its turn comes, and tells nobody. */
  void submitStop(SessionEntry entry) {
    entry.waiting.add(new SessionRequest.Stop());
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
      new Change(entry, session, apply).begin();
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
    if (intake.isDraining()) {
      refuse(apply.answer(), Refusal.DRAINING, "The node takes no new sessions", 0);
      done(entry);
      return;
    }
    if (intake.isRestoring() && spec.streams().isEmpty()) {
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
    new Change(entry, null, apply).begin();
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
      loan = new PortLoan(settings, pool, loop, before, intake.isRestoring());
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
      Consumer<OpenResult> answer = result -> loop.execute(() -> bound(result));
      if (before == null) {
        path.open(entry.call, MediaSession.ports(streams), plan(), answer);
      } else if (!loan.isEmpty() || streams.size() != before.streams().size()) {
        path.rebind(entry.call, MediaSession.ports(streams), plan(), answer);
      } else if (isFollowed(before)) {
        carriedOut();
      } else {
        lost();
      }
    }

    private SessionPlan plan() {
      return MediaSession.plan(loan.streams(), apply.spec().mediaTimeout());
    }

    /** Brings what is new to the relay, which is woken for nothing else; false: it has lost it. */
    private boolean isFollowed(MediaSession since) {
      return since.spec().isRelayedAs(apply.spec())
          ? path.counts(entry.call).isPresent()
          : path.update(entry.call, plan());
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

  private void start(SessionEntry entry, SessionRequest.Release release) {
    MediaSession session = entry.session;
    if (session == null) {
      Tombstones.Tombstone tombstone = tombstones.get(entry.call);
      SessionState last =
          tombstone == null
              ? SessionState.none(entry.call, release.revision())
              : tombstone.last(entry.call);
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

  /** Whether it waits for its confirmation beyond the time for that. */
  boolean isUnconfirmedTooLong(MediaSession session, long nowNs) {
    return !session.spec().confirmed()
        && nowNs - session.specNs() >= settings.unconfirmedExpiry().toNanos();
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

  SessionState stateOf(SessionEntry entry) {
    MediaSession session = Objects.requireNonNull(entry.session);
    return session.state(path.counts(entry.call), entry.timedOut);
  }

  private void refuse(Consumer<Answer> answer, Refusal refusal, String detail, long heldRevision) {
    refusals.merge(refusal, 1L, Long::sum);
    answer.accept(new Answer.Refused(refusal, detail, heldRevision));
  }
}
