package io.sippbx.media;

import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.Relay;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.session.NodeLoop;
import io.sippbx.media.session.SessionPath;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * What sessions want of a {@link Relay}. Streams that are added are added beside those that run.
 * When sockets are to go while the session stays, it is closed and opened again on the ports that
 * are left: media pauses for the moment that this takes, latching starts again, and the counts so
 * far are carried on here. Confined to the node's loop.
 */
final class RelaySessionPath implements SessionPath {

  private final Relay relay;
  private final NodeLoop loop;

  /** The sockets of the sessions that are open, and what was counted before they were re-opened. */
  private final LinkedHashMap<CallKey, Held> held = new LinkedHashMap<>();

  private record Held(List<StreamPorts> ports, SessionPlan plan, List<SessionCounts.Stream> base) {}

  RelaySessionPath(Relay relay, NodeLoop loop) {
    this.relay = relay;
    this.loop = loop;
  }

  @Override
  public void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    open(session, new Held(ports, plan, List.of()), answer);
  }

  private void open(CallKey session, Held wanted, Consumer<OpenResult> answer) {
    relay.open(
        session,
        wanted.ports(),
        wanted.plan(),
        result ->
            loop.execute(
                () -> {
                  if (result instanceof OpenResult.Opened) {
                    held.put(session, wanted);
                  }
                  answer.accept(result);
                }));
  }

  @Override
  public void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    Held before = held.get(session);
    if (before == null) {
      answer.accept(new OpenResult.Refused(OpenResult.Refusal.CLOSED));
    } else if (ports.containsAll(before.ports())) {
      var added = new ArrayList<>(ports);
      added.removeAll(before.ports());
      relay.extend(
          session,
          added,
          plan,
          result ->
              loop.execute(
                  () -> {
                    if (result instanceof OpenResult.Opened) {
                      held.put(session, new Held(ports, plan, before.base()));
                    }
                    answer.accept(result);
                  }));
    } else {
      reopen(session, before, ports, plan, answer);
    }
  }

  private void reopen(
      CallKey session,
      Held before,
      List<StreamPorts> ports,
      SessionPlan plan,
      Consumer<OpenResult> answer) {
    relay.close(
        session,
        counts ->
            loop.execute(
                () -> {
                  held.remove(session);
                  var base = sum(counts.streams(), before.base());
                  var keptPorts = before.ports().stream().filter(ports::contains).toList();
                  var kept = base.stream().filter(s -> hasIndex(keptPorts, s.index())).toList();
                  open(
                      session,
                      new Held(ports, plan, kept),
                      result -> {
                        if (result instanceof OpenResult.Opened) {
                          answer.accept(result);
                        } else {
                          back(
                              session,
                              new Held(before.ports(), before.plan(), base),
                              result,
                              answer);
                        }
                      });
                }));
  }

  /** The new sockets could not be had: the session gets the old ones again, or is lost. */
  private void back(CallKey session, Held before, OpenResult failed, Consumer<OpenResult> answer) {
    open(
        session,
        before,
        result ->
            answer.accept(
                result instanceof OpenResult.Opened
                    ? failed
                    : new OpenResult.Refused(OpenResult.Refusal.CLOSED)));
  }

  @Override
  public boolean update(CallKey session, SessionPlan plan) {
    Held before = held.get(session);
    if (before == null || !relay.update(session, plan)) {
      return false;
    }
    held.put(session, new Held(before.ports(), plan, before.base()));
    return true;
  }

  @Override
  public void close(CallKey session, Consumer<SessionCounts> lastCounts) {
    Held last = held.remove(session);
    relay.close(
        session,
        counts ->
            lastCounts.accept(
                last == null ? counts : new SessionCounts(sum(counts.streams(), last.base()))));
  }

  @Override
  public Optional<SessionCounts> counts(CallKey session) {
    Held now = held.get(session);
    if (now == null) {
      return Optional.empty();
    }
    Optional<SessionCounts> counts = relay.counts(session);
    return now.base().isEmpty()
        ? counts
        : counts.map(c -> new SessionCounts(sum(c.streams(), now.base())));
  }

  private static boolean hasIndex(List<StreamPorts> ports, int index) {
    return ports.stream().anyMatch(p -> p.index() == index);
  }

  private static List<SessionCounts.Stream> sum(
      List<SessionCounts.Stream> counts, List<SessionCounts.Stream> base) {
    var sums = new ArrayList<SessionCounts.Stream>(counts.size());
    for (SessionCounts.Stream stream : counts) {
      SessionCounts.Stream sum = stream;
      for (SessionCounts.Stream earlier : base) {
        if (earlier.index() == stream.index()) {
          sum =
              new SessionCounts.Stream(
                  stream.index(), sum(stream.a(), earlier.a()), sum(stream.b(), earlier.b()));
        }
      }
      sums.add(sum);
    }
    return sums;
  }

  private static EndCounts sum(EndCounts now, EndCounts earlier) {
    boolean quiet = now.packets() == 0;
    return new EndCounts(
        now.packets() + earlier.packets(),
        now.bytes() + earlier.bytes(),
        now.lost() + earlier.lost(),
        quiet ? earlier.jitterTicks() : now.jitterTicks(),
        quiet ? earlier.clockRateHz() : now.clockRateHz(),
        now.rtcpPackets() + earlier.rtcpPackets(),
        now.droppedStray() + earlier.droppedStray(),
        now.droppedInvalid() + earlier.droppedInvalid(),
        now.droppedDirection() + earlier.droppedDirection(),
        now.droppedUnsent() + earlier.droppedUnsent(),
        now.droppedByKernel() + earlier.droppedByKernel(),
        now.sentPackets() + earlier.sentPackets(),
        now.sentBytes() + earlier.sentBytes(),
        now.sentRtcpPackets() + earlier.sentRtcpPackets(),
        // What an end reports of its receiving is cumulative by itself.
        Math.max(now.reportedLost(), earlier.reportedLost()),
        now.reportedJitterTicks(),
        now.latched().or(earlier::latched),
        now.latchedRtcp().or(earlier::latchedRtcp),
        later(now.lastPacketNs(), earlier.lastPacketNs()));
  }

  private static OptionalLong later(OptionalLong now, OptionalLong earlier) {
    return now.isPresent() ? now : earlier;
  }
}
