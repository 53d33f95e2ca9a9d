package io.sippbx.control.mesh;

import com.google.protobuf.ByteString;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.proto.mesh.v1.Address;
import io.sippbx.proto.mesh.v1.Command;
import io.sippbx.proto.mesh.v1.Deliver;
import io.sippbx.proto.mesh.v1.Hears;
import io.sippbx.proto.mesh.v1.MeshMessage;
import io.sippbx.proto.mesh.v1.Protocol;
import io.sippbx.proto.mesh.v1.Send;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;

/** Members, flows and SIP messages as they are on a stream. Pure. */
final class MeshCodec {

  /** What a node may add to the topmost Via of a message that it received. */
  private static final int VIA_BYTES = 256;

  private final SipLimits limits;

  /**
   * @param limits of the messages that nodes receive
   */
  MeshCodec(SipLimits limits) {
    this.limits =
        new SipLimits(
            limits.messageBytes() + VIA_BYTES,
            limits.headerBytes() + VIA_BYTES,
            limits.headerCount(),
            limits.viaDepth(),
            limits.listValues(),
            limits.uriBytes(),
            limits.bodyBytes());
  }

  /** What a peer sent cannot be used. */
  static final class UnreadableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnreadableException(String message) {
      super(message);
    }

    UnreadableException(IllegalArgumentException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /** A message with its flow. */
  record Carried(SipMessage message, Flow flow) {}

  static MeshMessage deliver(long id, ByteString message, Flow flow, int hops) {
    return MeshMessage.newBuilder()
        .setDeliver(
            Deliver.newBuilder().setId(id).setMessage(message).setFlow(flow(flow)).setHops(hops))
        .build();
  }

  static MeshMessage send(long id, ByteString message, Flow flow) {
    return MeshMessage.newBuilder()
        .setSend(Send.newBuilder().setId(id).setMessage(message).setFlow(flow(flow)))
        .build();
  }

  static MeshMessage command(long id, MeshCommand command) {
    var form = Command.newBuilder().setId(id);
    switch (command) {
      case MeshCommand.HangUp(CallKey call) -> form.setHangUpCall(call.text());
      case MeshCommand.Drain(boolean drain) -> form.setDrain(drain);
    }
    return MeshMessage.newBuilder().setCommand(form).build();
  }

  /**
   * Reads what {@link #command} wrote.
   *
   * @throws UnreadableException if it names no call, or is of a later version
   */
  static MeshCommand command(Command form) {
    return switch (form.getWhatCase()) {
      case HANG_UP_CALL -> {
        String text = form.getHangUpCall();
        yield new MeshCommand.HangUp(
            CallKey.prefixOf(text)
                .filter(key -> key.text().equals(text))
                .orElseThrow(() -> new UnreadableException("no key of a call")));
      }
      case DRAIN -> new MeshCommand.Drain(form.getDrain());
      case WHAT_NOT_SET -> throw new UnreadableException("a command that is not known here");
    };
  }

  static MeshMessage hears(long id, NodeId mediaNode) {
    return MeshMessage.newBuilder()
        .setHears(Hears.newBuilder().setId(id).setMediaNode(mediaNode.text()))
        .build();
  }

  static NodeId mediaNode(Hears question) {
    try {
      return new NodeId(question.getMediaNode());
    } catch (IllegalArgumentException e) {
      throw new UnreadableException(e);
    }
  }

  /**
   * Reads what {@link #deliver} or {@link #send} wrote.
   *
   * @throws UnreadableException if it is no SIP message, or no flow
   */
  Carried carried(ByteString octets, io.sippbx.proto.mesh.v1.Flow flow) {
    byte[] bytes = octets.toByteArray();
    if (SipParser.parseOwned(bytes, limits) instanceof ParseResult.Parsed parsed) {
      return new Carried(parsed.message(), flow(flow));
    }
    throw new UnreadableException("no SIP message");
  }

  static io.sippbx.proto.mesh.v1.Member member(Member member) {
    return io.sippbx.proto.mesh.v1.Member.newBuilder()
        .setNode(member.node().text())
        .setIncarnation(member.incarnation().value())
        .build();
  }

  static Member member(io.sippbx.proto.mesh.v1.Member form) {
    try {
      return new Member(new NodeId(form.getNode()), new Incarnation(form.getIncarnation()));
    } catch (IllegalArgumentException e) {
      throw new UnreadableException(e);
    }
  }

  private static io.sippbx.proto.mesh.v1.Flow flow(Flow flow) {
    var form =
        io.sippbx.proto.mesh.v1.Flow.newBuilder()
            .setProtocol(protocol(flow.protocol()))
            .setLocal(address(flow.local()))
            .setRemote(address(flow.remote()))
            .setConnection(flow.connection())
            .setAccepted(flow.accepted());
    flow.holder().ifPresent(holder -> form.setHolder(member(holder)));
    return form.build();
  }

  private static Flow flow(io.sippbx.proto.mesh.v1.Flow form) {
    try {
      return new Flow(
          protocol(form.getProtocol()),
          endpoint(form.getLocal()),
          endpoint(form.getRemote()),
          form.getConnection(),
          form.getAccepted(),
          form.hasHolder() ? Optional.of(member(form.getHolder())) : Optional.empty());
    } catch (IllegalArgumentException e) {
      throw new UnreadableException(e);
    }
  }

  private static Protocol protocol(TransportProtocol protocol) {
    return switch (protocol) {
      case UDP -> Protocol.PROTOCOL_UDP;
      case TCP -> Protocol.PROTOCOL_TCP;
      case TLS -> Protocol.PROTOCOL_TLS;
      case WS -> Protocol.PROTOCOL_WS;
      case WSS -> Protocol.PROTOCOL_WSS;
    };
  }

  private static TransportProtocol protocol(Protocol form) {
    return switch (form) {
      case PROTOCOL_UDP -> TransportProtocol.UDP;
      case PROTOCOL_TCP -> TransportProtocol.TCP;
      case PROTOCOL_TLS -> TransportProtocol.TLS;
      case PROTOCOL_WS -> TransportProtocol.WS;
      case PROTOCOL_WSS -> TransportProtocol.WSS;
      case PROTOCOL_UNSPECIFIED, UNRECOGNIZED -> throw new UnreadableException("no transport");
    };
  }

  private static Address address(Endpoint endpoint) {
    return Address.newBuilder()
        .setIp(ByteString.copyFrom(endpoint.ip().octets()))
        .setPort(endpoint.port())
        .build();
  }

  private static Endpoint endpoint(Address form) {
    int octets = form.getIp().size();
    if (octets != 4 && octets != 16) {
      throw new UnreadableException("Expected 4 or 16 octets of an address, but got " + octets);
    }
    return new Endpoint(IpAddress.ofOctets(form.getIp().toByteArray()), form.getPort());
  }
}
