package io.sippbx.media.control;

import com.google.protobuf.Timestamp;
import io.sippbx.media.port.PortLedger;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.session.Answer;
import io.sippbx.media.session.ControlNode;
import io.sippbx.media.session.MediaSessions;
import io.sippbx.media.session.NodeLoop;
import io.sippbx.media.session.SessionEvent;
import io.sippbx.media.session.SessionState;
import io.sippbx.proto.media.v1.Endpoint;
import io.sippbx.proto.media.v1.Error;
import io.sippbx.proto.media.v1.ErrorCode;
import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.proto.media.v1.PortPairs;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.SessionEventKind;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.proto.media.v1.StreamCounts;
import io.sippbx.proto.media.v1.StreamEndState;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.Optional;

/** What the node holds and says, as messages of {@code media.proto}. */
final class MessageWriter {

  private final NodeId id;
  private final Incarnation incarnation;
  private final NodeLoop loop;

  MessageWriter(NodeId id, Incarnation incarnation, NodeLoop loop) {
    this.id = id;
    this.incarnation = incarnation;
    this.loop = loop;
  }

  NodeStatus status(MediaSessions sessions) {
    return NodeStatus.newBuilder()
        .setNodeId(id.text())
        .setIncarnation(incarnation.value())
        .setState(
            switch (sessions.state()) {
              case RESTORING -> NodeState.NODE_STATE_RESTORING;
              case RUNNING -> NodeState.NODE_STATE_RUNNING;
              case DRAINING -> NodeState.NODE_STATE_DRAINING;
            })
        .setSessions(sessions.size())
        .setSessionsLimit(sessions.limit())
        .setPairsV4(pairs(sessions.ledger(false)))
        .setPairsV6(pairs(sessions.ledger(true)))
        .build();
  }

  private static PortPairs pairs(PortLedger ledger) {
    return PortPairs.newBuilder()
        .setTotal(ledger.total())
        .setInUse(ledger.lent())
        .setResting(ledger.resting())
        .setSetAside(ledger.setAside())
        .build();
  }

  Session session(SessionState state) {
    var session =
        Session.newBuilder()
            .setCallKey(state.call().text())
            .setRevision(state.revision())
            .setConfirmed(state.confirmed())
            .setMediaTimedOut(state.mediaTimedOut());
    for (SessionState.Stream stream : state.streams()) {
      session.addStreams(
          Stream.newBuilder()
              .setIndex(stream.index())
              .setA(end(stream.a(), stream.counts().map(c -> c.end(End.A))))
              .setB(end(stream.b(), stream.counts().map(c -> c.end(End.B)))));
    }
    return session.build();
  }

  static Error error(Answer.Refused refused) {
    return Error.newBuilder()
        .setCode(code(refused.refusal()))
        .setDetail(refused.detail())
        .setHeldRevision(refused.heldRevision())
        .build();
  }

  static io.sippbx.proto.media.v1.SessionEvent event(SessionEvent event) {
    var message =
        io.sippbx.proto.media.v1.SessionEvent.newBuilder()
            .setCallKey(event.call().text())
            .setRevision(event.revision());
    switch (event) {
      case SessionEvent.FirstPacket first ->
          message
              .setKind(SessionEventKind.SESSION_EVENT_KIND_FIRST_PACKET)
              .setStreamIndex(first.streamIndex())
              .setFromA(first.from() == End.A);
      case SessionEvent.MediaTimeout ignored ->
          message.setKind(SessionEventKind.SESSION_EVENT_KIND_MEDIA_TIMEOUT);
      case SessionEvent.Expired ignored ->
          message.setKind(SessionEventKind.SESSION_EVENT_KIND_EXPIRED);
    }
    return message.build();
  }

  private StreamEndState end(SessionState.LocalEnd local, Optional<EndCounts> counts) {
    var end =
        StreamEndState.newBuilder()
            .setLocalRtp(endpoint(local.rtp()))
            .setLocalRtcp(endpoint(local.rtcp()));
    if (counts.isPresent()) {
      EndCounts c = counts.get();
      c.latched().ifPresent(latched -> end.setLatched(endpoint(latched)));
      var received =
          StreamCounts.newBuilder()
              .setPackets(c.packets())
              .setBytes(c.bytes())
              .setLost(c.lost())
              .setJitterTicks((int) Math.min(Integer.MAX_VALUE, c.jitterTicks()))
              .setDroppedStray(c.droppedStray())
              .setDroppedInvalid(c.droppedInvalid())
              .setDroppedDirection(c.droppedDirection())
              .setDroppedStun(c.droppedStun())
              .setRtcpPackets(c.rtcpPackets())
              .setDtlsPackets(c.dtlsPackets());
      c.lastPacketNs().ifPresent(ns -> received.setLastPacket(timestamp(ns)));
      end.setReceived(received).setSentPackets(c.sentPackets()).setSentBytes(c.sentBytes());
    }
    return end.build();
  }

  private Timestamp timestamp(long atNs) {
    Instant at = loop.now().minusNanos(loop.nowNs() - atNs);
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  private static Endpoint endpoint(io.sippbx.shared.net.Endpoint endpoint) {
    return Endpoint.newBuilder().setIp(endpoint.ip().toString()).setPort(endpoint.port()).build();
  }

  private static ErrorCode code(Answer.Refusal refusal) {
    return switch (refusal) {
      case STALE_REVISION -> ErrorCode.ERROR_CODE_STALE_REVISION;
      case REVISION_REUSED -> ErrorCode.ERROR_CODE_REVISION_REUSED;
      case RELEASED -> ErrorCode.ERROR_CODE_RELEASED;
      case PORTS_EXHAUSTED -> ErrorCode.ERROR_CODE_PORTS_EXHAUSTED;
      case PORT_TAKEN -> ErrorCode.ERROR_CODE_PORT_TAKEN;
      case DRAINING -> ErrorCode.ERROR_CODE_DRAINING;
      case RESTORING -> ErrorCode.ERROR_CODE_RESTORING;
      case INVALID_SPEC -> ErrorCode.ERROR_CODE_INVALID_SPEC;
      case TOO_MANY_SESSIONS -> ErrorCode.ERROR_CODE_TOO_MANY_SESSIONS;
      case OVERLOADED -> ErrorCode.ERROR_CODE_OVERLOADED;
      case FAMILY_UNAVAILABLE -> ErrorCode.ERROR_CODE_FAMILY_UNAVAILABLE;
    };
  }

  /** For log lines. */
  static String name(Optional<ControlNode> node) {
    return node.map(ControlNode::toString).orElse("unknown");
  }
}
