package io.sippbx.media.session;

import io.sippbx.media.port.PortLedger;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.relay.End;
import io.sippbx.media.session.SessionEvent.Expiry;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

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
  private final NodeLoop loop;
  private final Intake intake;
  private final Claims claims;
  private final Silences silences;
  private final SessionWork work;
  private long nextOrphanSweepNs;

  /** A table without sessions, restoring from now on if the settings say so. */
  public MediaSessions(
      SessionSettings settings,
      PortPool pool,
      SessionPath path,
      NodeLoop loop,
      SessionListener listener) {
    this.settings = settings;
    this.pool = pool;
    this.loop = loop;
    long nowNs = loop.nowNs();
    nextOrphanSweepNs = nowNs + ORPHAN_SWEEP_NS;
    intake = new Intake(settings.restoring(), nowNs, listener);
    claims = new Claims(loop);
    silences = new Silences(settings, path, loop, claims, listener);
    work = new SessionWork(settings, pool, path, loop, listener, intake, claims, silences);
  }

  // --- What control nodes ask for ---

  /** Makes the node hold exactly {@code spec}, which {@code from} claims by it. */
  public void apply(SessionSpec spec, ControlNode from, Consumer<Answer> answer) {
    intake.asked(loop.nowNs());
    work.submit(spec.call(), new SessionRequest.Apply(spec, from, answer), answer);
  }

  /** Ends a session, if it is held at {@code revision} or below. */
  public void release(CallKey call, long revision, Consumer<Answer> answer) {
    work.submit(call, new SessionRequest.Release(revision, answer), answer);
  }

  /** {@code from} knows these sessions; those that are not held are ignored. */
  public void claim(ControlNode from, List<CallKey> calls) {
    for (CallKey call : calls) {
      SessionEntry entry = work.entries().get(call);
      if (entry != null && entry.session != null) {
        claims.claim(entry, from);
      }
    }
  }

  /** A stream of a control node has been opened. */
  public void connected(ControlNode node) {
    intake.connected();
    claims.connected(node);
  }

  /** A stream of a control node has ended, for which {@link #connected} was called. */
  public void disconnected(ControlNode node) {
    claims.disconnected(node, work.entries().values());
  }

  /** A control node says that it has nothing more to bring back; another may. */
  public void restoredByOne() {
    intake.asked(loop.nowNs());
  }

  /** Nobody's session is yet to come back: the node takes new ones from now on. */
  public void restored() {
    intake.restored();
  }

  /** Takes no new sessions from now on, or does so again. */
  public void drain(boolean drain) {
    intake.drain(drain);
  }

  /** Ends all sessions, telling nobody, and takes no new ones. */
  public void stop() {
    drain(true);
    for (SessionEntry entry : List.copyOf(work.entries().values())) {
      work.submitStop(entry);
    }
  }

  // --- What the node is asked about ---

  /** The session as it is held, if it is. */
  public Optional<SessionState> get(CallKey call) {
    SessionEntry entry = work.entries().get(call);
    return entry == null || entry.session == null
        ? Optional.empty()
        : Optional.of(work.stateOf(entry));
  }

  /**
   * Hands sessions to {@code page} in the order of their keys, until it has enough.
   *
   * @param after the key that the first one follows; empty: from the beginning
   * @return whether {@code page} stopped it
   */
  public boolean list(Optional<CallKey> after, Predicate<SessionState> page) {
    var rest = after.isPresent() ? work.entries().tailMap(after.get(), false) : work.entries();
    for (SessionEntry entry : rest.values()) {
      if (entry.session != null && !page.test(work.stateOf(entry))) {
        return true;
      }
    }
    return false;
  }

  /** What the node takes. */
  public NodeState state() {
    return intake.state();
  }

  /** Sessions that are held or being opened. */
  public int size() {
    return work.held();
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
    for (SessionEntry entry : work.entries().values()) {
      if (entry.session != null) {
        pairs += 2 * entry.session.streams().size();
      }
    }
    return pairs;
  }

  /** Whether no request is under way or waits. */
  public boolean isQuiet() {
    return work.isQuiet();
  }

  /** Call keys that are remembered after their end. */
  public int tombstones() {
    return work.tombstones().size();
  }

  /** What happened since the start. */
  public SessionCounters counters() {
    return work.counters();
  }

  // --- What the relay saw ---

  /** The first packet of an end came. */
  public void firstPacket(CallKey call, int streamIndex, End end) {
    SessionEntry entry = work.entries().get(call);
    if (entry != null && entry.session != null) {
      silences.firstPacket(entry, entry.session, streamIndex, end);
    }
  }

  /** Nothing came for the media time-out. */
  public void mediaTimeout(CallKey call) {
    SessionEntry entry = work.entries().get(call);
    if (entry != null && entry.session != null) {
      silences.mediaTimeout(entry, entry.session);
    }
  }

  // --- Time ---

  /** Ends what nobody asks for any more, and tells again of what is silent. */
  public void tick() {
    long nowNs = loop.nowNs();
    intake.tick(nowNs);
    work.tombstones().expire(nowNs);
    boolean orphans = nowNs - nextOrphanSweepNs >= 0;
    if (orphans) {
      nextOrphanSweepNs = nowNs + ORPHAN_SWEEP_NS;
    }
    // A copy: ending a session may take its entry out at once.
    for (SessionEntry entry : List.copyOf(work.entries().values())) {
      MediaSession session = entry.session;
      if (session == null || entry.busy) {
        continue;
      }
      if (work.isUnconfirmedTooLong(session, nowNs)) {
        work.submitEnd(entry, Expiry.UNCONFIRMED);
      } else if (orphans && silences.isOrphan(entry, nowNs)) {
        work.submitEnd(entry, Expiry.ORPHANED);
      } else if (entry.timedOut) {
        silences.repeatTimeout(entry, session, nowNs);
      }
    }
  }
}
