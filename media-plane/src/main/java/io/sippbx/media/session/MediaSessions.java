package io.sippbx.media.session;

import io.sippbx.media.port.PortLedger;
import io.sippbx.media.port.PortPair;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.port.PortPool.Lending;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.session.Answer.Refusal;
import io.sippbx.media.session.MediaSession.OpenStream;
import io.sippbx.media.session.SessionEvent.Expiry;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
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
  private final TreeMap<CallKey, Entry> entries = new TreeMap<>();

  /** In the order of their ends in time. */
  private final LinkedHashMap<CallKey, Tombstone> tombstones = new LinkedHashMap<>();

  private final LinkedHashMap<ControlNode, Integer> connected = new LinkedHashMap<>();
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
  private long tombstonesForgotten;
  private long firstPackets;
  private long mediaTimeouts;

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
    long nowNs = loop.nowNs();
    runningFromNs = nowNs + settings.restoring().toNanos();
    restoring = settings.restoring().isPositive();
    nextOrphanSweepNs = nowNs + ORPHAN_SWEEP_NS;
  }

  /** What is known of one call key, and what waits to be done with it. */
  private static final class Entry {
    final CallKey call;
    final ArrayDeque<Request> waiting = new ArrayDeque<>();
    boolean busy;

    /** Whether an Apply that opens the session is under way: it has its place below the limit. */
    boolean opening;

    @Nullable MediaSession session;
    @Nullable ControlNode claimant;

    /** When the claim ended; of no meaning while the claimant is connected. */
    long unclaimedSinceNs;

    boolean timedOut;

    /** When the last MEDIA_TIMEOUT was told. */
    long timedOutNs;

    Entry(CallKey call) {
      this.call = call;
    }
  }

  /** What remains of a session. {@code refusesAll}: the node ended it by itself. */
  private record Tombstone(long revision, boolean refusesAll, SessionState last, long untilNs) {}

  private sealed interface Request {
    record Apply(SessionSpec spec, ControlNode from, Consumer<Answer> answer) implements Request {}

    record Release(long revision, Consumer<Answer> answer) implements Request {}

    record End(Expiry reason) implements Request {}

    record Stop() implements Request {}
  }

  // --- What control nodes ask for ---

  /** Makes the node hold exactly {@code spec}, which {@code from} claims by it. */
  public void apply(SessionSpec spec, ControlNode from, Consumer<Answer> answer) {
    submit(spec.call(), new Request.Apply(spec, from, answer), answer);
  }

  /** Ends a session, if it is held at {@code revision} or below. */
  public void release(CallKey call, long revision, Consumer<Answer> answer) {
    submit(call, new Request.Release(revision, answer), answer);
  }

  /** {@code from} knows these sessions; those that are not held are ignored. */
  public void claim(ControlNode from, List<CallKey> calls) {
    for (CallKey call : calls) {
      Entry entry = entries.get(call);
      if (entry != null && entry.session != null) {
        claim(entry, from);
      }
    }
  }

  /** A stream of a control node has been opened. */
  public void connected(ControlNode node) {
    connected.merge(node, 1, Integer::sum);
  }

  /** A stream of a control node has ended, for which {@link #connected} was called. */
  public void disconnected(ControlNode node) {
    Integer left = connected.computeIfPresent(node, (n, count) -> count == 1 ? null : count - 1);
    if (left == null) {
      long nowNs = loop.nowNs();
      for (Entry entry : entries.values()) {
        if (node.equals(entry.claimant)) {
          entry.unclaimedSinceNs = nowNs;
        }
      }
    }
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
    for (Entry entry : List.copyOf(entries.values())) {
      entry.waiting.add(new Request.Stop());
      next(entry);
    }
  }

  // --- What the node is asked about ---

  /** The session as it is held, if it is. */
  public Optional<SessionState> get(CallKey call) {
    Entry entry = entries.get(call);
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
    for (Entry entry : rest.values()) {
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
    for (Entry entry : entries.values()) {
      if (entry.session != null) {
        pairs += 2 * entry.session.streams().size();
      }
    }
    return pairs;
  }

  /** Whether no request is under way or waits. */
  public boolean isQuiet() {
    for (Entry entry : entries.values()) {
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
        tombstonesForgotten,
        firstPackets,
        mediaTimeouts,
        refusals);
  }

  // --- What the relay saw ---

  /** The first packet of an end came. */
  public void firstPacket(CallKey call, int streamIndex, End end) {
    Entry entry = entries.get(call);
    if (entry == null || entry.session == null) {
      return;
    }
    firstPackets++;
    entry.timedOut = false;
    tell(
        entry,
        new SessionEvent.FirstPacket(call, entry.session.spec().revision(), streamIndex, end));
  }

  /** Nothing came for the media time-out. */
  public void mediaTimeout(CallKey call) {
    Entry entry = entries.get(call);
    if (entry == null || entry.session == null) {
      return;
    }
    entry.timedOut = true;
    tellTimeout(entry, entry.session);
  }

  // --- Time ---

  /** Ends what nobody asks for any more, and tells again of what is silent. */
  public void tick() {
    long nowNs = loop.nowNs();
    if (restoring && nowNs - runningFromNs >= 0) {
      restored();
    }
    var oldest = tombstones.values().iterator();
    while (oldest.hasNext() && oldest.next().untilNs() - nowNs <= 0) {
      oldest.remove();
    }
    boolean orphans = nowNs - nextOrphanSweepNs >= 0;
    if (orphans) {
      nextOrphanSweepNs = nowNs + ORPHAN_SWEEP_NS;
    }
    // A copy: ending a session may take its entry out at once.
    for (Entry entry : List.copyOf(entries.values())) {
      MediaSession session = entry.session;
      if (session == null || entry.busy) {
        continue;
      }
      if (isUnconfirmedTooLong(session, nowNs)) {
        submitEnd(entry, Expiry.UNCONFIRMED);
      } else if (orphans && isOrphan(entry, nowNs)) {
        submitEnd(entry, Expiry.ORPHANED);
      } else if (entry.timedOut) {
        repeatTimeout(entry, session, nowNs);
      }
    }
  }

  private boolean isUnconfirmedTooLong(MediaSession session, long nowNs) {
    return !session.spec().confirmed()
        && nowNs - session.specNs() >= settings.unconfirmedExpiry().toNanos();
  }

  private boolean isOrphan(Entry entry, long nowNs) {
    long timeoutNs = settings.orphanTimeout().toNanos();
    if (isClaimed(entry) || nowNs - entry.unclaimedSinceNs < timeoutNs) {
      return false;
    }
    OptionalLong lastNs = lastPacketNs(entry.call);
    return lastNs.isEmpty() || nowNs - lastNs.getAsLong() >= timeoutNs;
  }

  private void repeatTimeout(Entry entry, MediaSession session, long nowNs) {
    long timeoutNs = session.spec().mediaTimeout().toNanos();
    OptionalLong lastNs = lastPacketNs(entry.call);
    if (timeoutNs == 0 || lastNs.isPresent() && lastNs.getAsLong() - entry.timedOutNs > 0) {
      entry.timedOut = false;
    } else if (nowNs - entry.timedOutNs >= timeoutNs) {
      tellTimeout(entry, session);
    }
  }

  /** When the last packet of any end came. */
  private OptionalLong lastPacketNs(CallKey call) {
    Optional<SessionCounts> counts = path.counts(call);
    boolean any = false;
    long latestNs = 0;
    if (counts.isPresent()) {
      for (SessionCounts.Stream stream : counts.get().streams()) {
        for (End end : End.values()) {
          OptionalLong lastNs = stream.end(end).lastPacketNs();
          if (lastNs.isPresent() && (!any || lastNs.getAsLong() - latestNs > 0)) {
            any = true;
            latestNs = lastNs.getAsLong();
          }
        }
      }
    }
    return any ? OptionalLong.of(latestNs) : OptionalLong.empty();
  }

  // --- One request after the other ---

  private void submit(CallKey call, Request request, Consumer<Answer> answer) {
    Entry entry = entries.computeIfAbsent(call, Entry::new);
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

  private void submitEnd(Entry entry, Expiry reason) {
    entry.waiting.add(new Request.End(reason));
    next(entry);
  }

  /** Takes waiting requests until one has to wait for the relay, or none is left. */
  private void next(Entry entry) {
    while (!entry.busy) {
      Request request = entry.waiting.poll();
      if (request == null) {
        if (entry.session == null) {
          entries.remove(entry.call);
        }
        return;
      }
      entry.busy = true;
      switch (request) {
        case Request.Apply apply -> start(entry, apply);
        case Request.Release release -> start(entry, release);
        case Request.End end -> start(entry, end);
        case Request.Stop ignored -> stop(entry);
      }
    }
  }

  /** The request under way is done: {@code answered} has told so, where somebody is to be told. */
  private void done(Entry entry) {
    entry.busy = false;
  }

  private void start(Entry entry, Request.Apply apply) {
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
      claim(entry, apply.from());
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

  private void open(Entry entry, Request.Apply apply) {
    SessionSpec spec = apply.spec();
    Tombstone tombstone = tombstones.get(entry.call);
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

  /** An Apply under way: what it has been lent, and how often a bind has failed. */
  private final class Change {
    final Entry entry;
    final @Nullable MediaSession before;
    final Request.Apply apply;
    final ArrayList<OpenStream> streams = new ArrayList<>();
    final ArrayList<PortPair> lent = new ArrayList<>();
    int tries;

    Change(Entry entry, @Nullable MediaSession before, Request.Apply apply) {
      this.entry = entry;
      this.before = before;
      this.apply = apply;
    }

    /** Finds a pair for each end; false if it has been refused. */
    boolean lend() {
      for (StreamSpec stream : apply.spec().streams()) {
        PortPair a = pair(stream, End.A);
        PortPair b = a == null ? null : pair(stream, End.B);
        if (a == null || b == null) {
          return false;
        }
        streams.add(new OpenStream(stream, a, b));
      }
      return true;
    }

    private @Nullable PortPair pair(StreamSpec stream, End end) {
      PortPair kept = before == null ? null : before.kept(stream, end);
      return kept != null ? kept : lend(stream, end);
    }

    private @Nullable PortPair lend(StreamSpec stream, End end) {
      EndSpec spec = stream.end(end);
      boolean pinned = spec.pinnedPort() != 0;
      if (restoring && !pinned) {
        fail(
            Refusal.RESTORING,
            "The node has just started: " + field(stream, end) + " has no pinned_port");
        return null;
      }
      long nowNs = loop.nowNs();
      Lending lending =
          pinned
              ? pool.lendPinned(spec.v6(), spec.pinnedPort(), nowNs)
              : pool.lend(spec.v6(), nowNs);
      return switch (lending) {
        case Lending.Lent(PortPair pair) -> {
          lent.add(pair);
          yield pair;
        }
        case Lending.Exhausted(PortLedger ledger) -> {
          fail(
              Refusal.PORTS_EXHAUSTED,
              "No "
                  + (spec.v6() ? "IPv6" : "IPv4")
                  + " port pair is free: "
                  + ledger.lent()
                  + " of "
                  + ledger.total()
                  + " are in use, "
                  + ledger.resting()
                  + " rest, "
                  + ledger.setAside()
                  + " are held by other programs");
          yield null;
        }
        case Lending.Taken(int port) -> {
          fail(
              Refusal.PORT_TAKEN,
              field(stream, end) + ".pinned_port " + port + " is in use by a session");
          yield null;
        }
        case Lending.NotInRange(int port, var range) -> {
          fail(
              Refusal.INVALID_SPEC,
              "Expected "
                  + field(stream, end)
                  + ".pinned_port to be even and within "
                  + range
                  + ", but got "
                  + port);
          yield null;
        }
        case Lending.NoSuchFamily(boolean v6) -> {
          fail(
              Refusal.FAMILY_UNAVAILABLE,
              "The node has no " + (v6 ? "IPv6" : "IPv4") + " address for " + field(stream, end));
          yield null;
        }
      };
    }

    /** Another pair in place of one that could not be bound; false if it has been refused. */
    boolean replace(PortPair failed) {
      lent.remove(failed);
      pool.setAside(failed, loop.nowNs());
      bindFailures++;
      for (int i = 0; i < streams.size(); i++) {
        OpenStream stream = streams.get(i);
        for (End end : End.values()) {
          if (!stream.pair(end).equals(failed)) {
            continue;
          }
          if (stream.spec().end(end).pinnedPort() != 0) {
            fail(
                Refusal.PORT_TAKEN,
                field(stream.spec(), end)
                    + ".pinned_port "
                    + failed.rtpPort()
                    + " or the next is in use by another program");
            return false;
          }
          if (++tries >= settings.maxBindTries()) {
            fail(
                Refusal.PORTS_EXHAUSTED,
                tries + " port pairs in a row are in use by other programs");
            return false;
          }
          PortPair other = lend(stream.spec(), end);
          if (other == null) {
            return false;
          }
          streams.set(
              i,
              end == End.A
                  ? new OpenStream(stream.spec(), other, stream.b())
                  : new OpenStream(stream.spec(), stream.a(), other));
        }
      }
      return true;
    }

    /** Refuses: everything that was lent goes back, and the session is as before. */
    void fail(Refusal refusal, String detail) {
      long nowNs = loop.nowNs();
      for (PortPair pair : lent) {
        pool.unlend(pair, nowNs);
      }
      lent.clear();
      if (entry.opening) {
        entry.opening = false;
        held--;
      }
      refuse(apply.answer(), refusal, detail, 0);
      done(entry);
    }

    void bind() {
      var ports = MediaSession.ports(streams);
      var plan = MediaSession.plan(streams, apply.spec().mediaTimeout());
      Consumer<OpenResult> answer = result -> loop.execute(() -> bound(result));
      if (before == null) {
        path.open(entry.call, ports, plan, answer);
      } else if (lent.isEmpty() && streams.size() == before.streams().size()) {
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
      PortPair pair = pairOf(failed);
      switch (failed.failure()) {
        case ADDRESS_IN_USE -> {
          if (pair == null) {
            fail(Refusal.PORTS_EXHAUSTED, "Cannot bind " + failed.endpoint() + ": in use");
          } else if (replace(pair)) {
            bind();
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

    private @Nullable PortPair pairOf(OpenResult.BindFailed failed) {
      for (PortPair pair : lent) {
        if (pair.bindRtp().equals(failed.endpoint()) || pair.bindRtcp().equals(failed.endpoint())) {
          return pair;
        }
      }
      return null;
    }

    private void carriedOut() {
      long nowNs = loop.nowNs();
      if (before == null) {
        entry.opening = false;
        opened++;
      } else {
        var keeps = MediaSession.pairs(streams);
        for (PortPair pair : before.pairs()) {
          if (!keeps.contains(pair)) {
            pool.giveBack(pair, nowNs);
          }
        }
      }
      entry.session = new MediaSession(apply.spec(), streams, nowNs);
      // What is silent under the new spec too is told again, but not before its time.
      entry.timedOut = entry.timedOut && entry.session.owesPackets();
      entry.timedOutNs = nowNs;
      claim(entry, apply.from());
      apply.answer().accept(new Answer.Done(stateOf(entry)));
      done(entry);
    }

    /** The relay does not have the session that this node holds: it ends, the node lives. */
    private void lost() {
      MediaSession session = Objects.requireNonNull(before);
      long nowNs = loop.nowNs();
      for (PortPair pair : lent) {
        pool.unlend(pair, nowNs);
      }
      lent.clear();
      ended(entry, session, new SessionCounts(List.of()), Optional.of(Expiry.BROKEN), 0);
      refuse(
          apply.answer(),
          Refusal.RELEASED,
          "The relay has lost the session",
          session.spec().revision());
      done(entry);
    }
  }

  private void change(Entry entry, @Nullable MediaSession before, Request.Apply apply) {
    var change = new Change(entry, before, apply);
    if (change.lend()) {
      change.bind();
    }
  }

  private void start(Entry entry, Request.Release release) {
    MediaSession session = entry.session;
    if (session == null) {
      Tombstone tombstone = tombstones.get(entry.call);
      SessionState last =
          tombstone == null ? SessionState.none(entry.call, release.revision()) : tombstone.last();
      // A later Release moves the revision up, and the end of the tombstone with it.
      if (tombstone == null || release.revision() > tombstone.revision()) {
        bury(entry.call, release.revision(), tombstone != null && tombstone.refusesAll(), last);
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

  private void start(Entry entry, Request.End end) {
    MediaSession session = entry.session;
    long nowNs = loop.nowNs();
    boolean stillDue =
        session != null
            && switch (end.reason()) {
              case UNCONFIRMED -> isUnconfirmedTooLong(session, nowNs);
              case ORPHANED -> isOrphan(entry, nowNs);
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

  private void stop(Entry entry) {
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
      Entry entry,
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
    bury(entry.call, revision, byItself.isPresent(), last);
    if (byItself.isPresent()) {
      switch (byItself.get()) {
        case UNCONFIRMED -> expiredUnconfirmed++;
        case ORPHANED -> expiredOrphaned++;
        case BROKEN -> broken++;
      }
      tell(entry, new SessionEvent.Expired(entry.call, revision, byItself.get()));
    }
    return last;
  }

  private void bury(CallKey call, long revision, boolean refusesAll, SessionState last) {
    tombstones.remove(call);
    if (tombstones.size() >= settings.maxTombstones()) {
      tombstones.pollFirstEntry();
      tombstonesForgotten++;
    }
    tombstones.put(
        call,
        new Tombstone(revision, refusesAll, last, loop.nowNs() + settings.tombstone().toNanos()));
  }

  // --- Small things ---

  private SessionState stateOf(Entry entry) {
    MediaSession session = Objects.requireNonNull(entry.session);
    return session.state(path.counts(entry.call), entry.timedOut);
  }

  private void claim(Entry entry, ControlNode node) {
    entry.claimant = node;
    entry.unclaimedSinceNs = loop.nowNs();
  }

  private boolean isClaimed(Entry entry) {
    return entry.claimant != null && connected.containsKey(entry.claimant);
  }

  private void tell(Entry entry, SessionEvent event) {
    listener.event(
        event, isClaimed(entry) ? Optional.ofNullable(entry.claimant) : Optional.empty());
  }

  private void tellTimeout(Entry entry, MediaSession session) {
    entry.timedOutNs = loop.nowNs();
    mediaTimeouts++;
    tell(entry, new SessionEvent.MediaTimeout(entry.call, session.spec().revision()));
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

  private static String field(StreamSpec stream, End end) {
    return "stream " + stream.index() + (end == End.A ? ".a" : ".b");
  }
}
