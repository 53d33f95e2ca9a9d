package io.sippbx.media.session;

import io.sippbx.media.port.PortLedger;
import io.sippbx.media.port.PortPair;
import io.sippbx.media.port.PortPool;
import io.sippbx.media.port.PortPool.Lending;
import io.sippbx.media.relay.End;
import io.sippbx.media.session.Answer.Refusal;
import io.sippbx.media.session.Answer.Refused;
import io.sippbx.media.session.MediaSession.OpenStream;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The pairs of one Apply: those that the session keeps, and those that it has been lent, which go
 * back if the Apply comes to nothing. Confined to the loop.
 */
final class PortLoan {

  private final SessionSettings settings;
  private final PortPool pool;
  private final NodeLoop loop;
  private final @Nullable MediaSession before;
  private final boolean restoring;
  private final ArrayList<OpenStream> streams = new ArrayList<>();
  private final ArrayList<PortPair> lent = new ArrayList<>();
  private @Nullable Refused refused;
  private int tries;

  /**
   * @param before what the session is now; null if it is new
   * @param restoring only pinned ports are lent
   */
  PortLoan(
      SessionSettings settings,
      PortPool pool,
      NodeLoop loop,
      @Nullable MediaSession before,
      boolean restoring) {
    this.settings = settings;
    this.pool = pool;
    this.loop = loop;
    this.before = before;
    this.restoring = restoring;
  }

  /** The streams with their pairs. */
  List<OpenStream> streams() {
    return streams;
  }

  /** Whether nothing had to be lent. */
  boolean isEmpty() {
    return lent.isEmpty();
  }

  /** Finds a pair for each end; why not, if there is none. */
  Optional<Refused> lend(SessionSpec spec) {
    for (StreamSpec stream : spec.streams()) {
      PortPair a = pair(stream, End.A);
      PortPair b = a == null ? null : pair(stream, End.B);
      if (a == null || b == null) {
        return Optional.ofNullable(refused);
      }
      streams.add(new OpenStream(stream, a, b));
    }
    return Optional.empty();
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
        pinned ? pool.lendPinned(spec.v6(), spec.pinnedPort(), nowNs) : pool.lend(spec.v6(), nowNs);
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

  /** Another pair in place of one that could not be bound; why not, if there is none. */
  Optional<Refused> replace(PortPair failed) {
    lent.remove(failed);
    pool.setAside(failed, loop.nowNs());
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
          return Optional.ofNullable(refused);
        }
        if (++tries >= settings.maxBindTries()) {
          fail(
              Refusal.PORTS_EXHAUSTED, tries + " port pairs in a row are in use by other programs");
          return Optional.ofNullable(refused);
        }
        PortPair other = lend(stream.spec(), end);
        if (other == null) {
          return Optional.ofNullable(refused);
        }
        streams.set(
            i,
            end == End.A
                ? new OpenStream(stream.spec(), other, stream.b())
                : new OpenStream(stream.spec(), stream.a(), other));
      }
    }
    return Optional.empty();
  }

  /** The pair that was lent for an endpoint. */
  @Nullable PortPair pairOf(Endpoint endpoint) {
    for (PortPair pair : lent) {
      if (pair.bindRtp().equals(endpoint) || pair.bindRtcp().equals(endpoint)) {
        return pair;
      }
    }
    return null;
  }

  /** Everything that was lent goes back, as if it had never been lent. */
  void undo() {
    for (PortPair pair : lent) {
      pool.unlend(pair, loop.nowNs());
    }
    lent.clear();
  }

  private void fail(Refusal refusal, String detail) {
    refused = new Refused(refusal, detail, 0);
  }

  private static String field(StreamSpec stream, End end) {
    return "stream " + stream.index() + (end == End.A ? ".a" : ".b");
  }
}
