package io.sippbx.media.relay;

import io.sippbx.media.relay.OpenResult.BindFailed;
import io.sippbx.media.relay.PacketLoop.BindAnswer;
import io.sippbx.media.relay.PacketLoop.SocketOptions;
import io.sippbx.media.relay.RelaySession.Opening;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One change of a session's sockets, in two steps: {@link #bind} gets what is new, and touches
 * nothing that is there; {@link #carryOut} puts it in place and closes what is not wanted any more.
 * Of the worker's thread.
 */
final class Rebinding {

  private final RelayWorker worker;
  private final RelaySession session;
  private final Opening wanted;
  private final List<StreamChange> changes = new ArrayList<>();
  private int closed;

  /** What becomes of a stream: an end without new sockets stays as it is. */
  private record StreamChange(
      StreamPorts ports, @Nullable RelayStream before, EnumMap<End, EndSockets> fresh) {}

  Rebinding(RelayWorker worker, RelaySession session, Opening wanted) {
    this.worker = worker;
    this.session = session;
    this.wanted = wanted;
  }

  /** Binds what is new; what could not be bound, after which none of it is. */
  @Nullable BindFailed bind() {
    for (StreamPorts ports : wanted.ports()) {
      RelayStream before = held(ports.index());
      if (before != null && !isSame(before, ports, End.A) && !isSame(before, ports, End.B)) {
        before = null;
      }
      var change = new StreamChange(ports, before, new EnumMap<>(End.class));
      changes.add(change);
      SocketOptions options = worker.socketOptions(kind(ports.index()));
      for (End end : End.values()) {
        if (before == null || !isSame(before, ports, end)) {
          BindFailed failed = bind(change, end, options);
          if (failed != null) {
            changes.forEach(each -> each.fresh().values().forEach(EndSockets::close));
            return failed;
          }
        }
      }
    }
    return null;
  }

  private static boolean isSame(RelayStream before, StreamPorts ports, End end) {
    return before.ports().isSame(end, ports);
  }

  private @Nullable RelayStream held(int index) {
    for (RelayStream stream : session.streams()) {
      if (stream.index() == index) {
        return stream;
      }
    }
    return null;
  }

  private MediaKind kind(int streamIndex) {
    for (StreamPlan stream : wanted.plan().streams()) {
      if (stream.index() == streamIndex) {
        return stream.kind();
      }
    }
    return MediaKind.OTHER;
  }

  private @Nullable BindFailed bind(StreamChange change, End end, SocketOptions options) {
    Endpoint rtpAt = change.ports().rtp(end);
    Endpoint rtcpAt = change.ports().rtcp(end);
    switch (worker.bind(rtpAt, options)) {
      case BindAnswer.Failed failed -> {
        return failed(rtpAt, failed);
      }
      case BindAnswer.Bound(PacketSocket rtp) -> {
        if (rtcpAt.equals(rtpAt) && rtcpAt.port() != 0) {
          change.fresh().put(end, new EndSockets(rtp, rtp));
          return null;
        }
        switch (worker.bind(rtcpAt, options)) {
          case BindAnswer.Failed failed -> {
            rtp.close();
            return failed(rtcpAt, failed);
          }
          case BindAnswer.Bound(PacketSocket rtcp) -> {
            change.fresh().put(end, new EndSockets(rtp, rtcp));
            return null;
          }
        }
      }
    }
  }

  private static BindFailed failed(Endpoint at, BindAnswer.Failed failed) {
    return new BindFailed(at, failed.failure(), failed.errno(), failed.detail());
  }

  /** Puts the new sockets in place, and closes what the session is not to have any more. */
  void carryOut() {
    var next = new ArrayList<RelayStream>(changes.size());
    for (StreamChange change : changes) {
      RelayStream before = change.before();
      next.add(before == null ? fresh(change) : changed(before, change));
    }
    for (RelayStream stream : session.streams()) {
      if (next.stream().noneMatch(each -> each.a() == stream.a())) {
        closed += stream.sockets();
        worker.close(stream);
      }
    }
    session.hold(next);
  }

  private RelayStream fresh(StreamChange change) {
    EndSockets atA = change.fresh().get(End.A);
    EndSockets atB = change.fresh().get(End.B);
    if (atA == null || atB == null) {
      throw new IllegalStateException("Expected sockets of both ends, but got " + change);
    }
    var a = new StreamSide(End.A, atA);
    var b = new StreamSide(End.B, atB);
    int index = change.ports().index();
    read(index, a, b);
    read(index, b, a);
    worker.countSockets(atA.count() + atB.count());
    return new RelayStream(index, a, b, ports(index, a, b));
  }

  private RelayStream changed(RelayStream before, StreamChange change) {
    if (change.fresh().isEmpty()) {
      return before;
    }
    for (var each : change.fresh().entrySet()) {
      StreamSide side = before.side(each.getKey());
      worker.lookAtKernelDrops(side);
      closed += side.sockets().count();
      worker.countSockets(each.getValue().count() - side.sockets().count());
      side.rebind(each.getValue());
      read(before.index(), side, before.side(each.getKey().other()));
    }
    return new RelayStream(
        before.index(), before.a(), before.b(), ports(before.index(), before.a(), before.b()));
  }

  private void read(int index, StreamSide from, StreamSide to) {
    EndSockets sockets = from.sockets();
    sockets.rtp().readBy(new PacketPath(worker, session, index, from, to, false));
    if (!sockets.isShared()) {
      sockets.rtcp().readBy(new PacketPath(worker, session, index, from, to, true));
    }
  }

  private static StreamPorts ports(int index, StreamSide a, StreamSide b) {
    return new StreamPorts(
        index,
        a.sockets().rtp().local(),
        a.sockets().rtcp().local(),
        b.sockets().rtp().local(),
        b.sockets().rtcp().local());
  }

  /** Whether sockets were closed, whose ports may not be free at once. */
  boolean hasClosed() {
    return closed > 0;
  }
}
