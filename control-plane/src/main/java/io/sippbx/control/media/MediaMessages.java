package io.sippbx.control.media;

import com.google.protobuf.Duration;
import io.sippbx.control.media.MediaAnswer.Held;
import io.sippbx.control.media.MediaAnswer.Refusal;
import io.sippbx.control.media.MediaAnswer.Refused;
import io.sippbx.proto.media.v1.AddressFamily;
import io.sippbx.proto.media.v1.Error;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.proto.media.v1.StreamEndState;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.Optional;

/** Between the values of this package and the messages of {@code media.proto}. */
final class MediaMessages {

  private MediaMessages() {}

  static io.sippbx.proto.media.v1.SessionSpec spec(SessionSpec spec) {
    var message =
        io.sippbx.proto.media.v1.SessionSpec.newBuilder()
            .setCallKey(spec.call().text())
            .setRevision(spec.revision())
            .setConfirmed(spec.confirmed())
            .setMediaTimeout(
                Duration.newBuilder()
                    .setSeconds(spec.mediaTimeout().toSeconds())
                    .setNanos(spec.mediaTimeout().toNanosPart()));
    for (StreamSpec stream : spec.streams()) {
      message.addStreams(
          io.sippbx.proto.media.v1.StreamSpec.newBuilder()
              .setIndex(stream.index())
              .setMedia(stream.media())
              .setForm(form(stream.form()))
              .setA(end(stream.a()))
              .setB(end(stream.b())));
    }
    return message.build();
  }

  private static io.sippbx.proto.media.v1.PayloadForm form(PayloadForm form) {
    return switch (form) {
      case RTP -> io.sippbx.proto.media.v1.PayloadForm.PAYLOAD_FORM_RTP;
      case DTLS_SRTP -> io.sippbx.proto.media.v1.PayloadForm.PAYLOAD_FORM_DTLS_SRTP;
      case DATAGRAMS -> io.sippbx.proto.media.v1.PayloadForm.PAYLOAD_FORM_DATAGRAMS;
    };
  }

  private static io.sippbx.proto.media.v1.StreamEnd end(StreamEnd end) {
    var message =
        io.sippbx.proto.media.v1.StreamEnd.newBuilder()
            .setFamily(
                end.v6() ? AddressFamily.ADDRESS_FAMILY_IPV6 : AddressFamily.ADDRESS_FAMILY_IPV4)
            .setRtcpMux(end.rtcpMux())
            .setMaySend(end.maySend())
            .setWantsReceive(end.wantsReceive())
            .addAllPayloadTypes(end.payloadTypes())
            .setLatchEpoch(end.latchEpoch())
            .setPinnedPort(end.pinnedPort());
    end.remoteRtp().ifPresent(remote -> message.setRemoteRtp(endpoint(remote)));
    end.remoteRtcp().ifPresent(remote -> message.setRemoteRtcp(endpoint(remote)));
    return message.build();
  }

  private static io.sippbx.proto.media.v1.Endpoint endpoint(Endpoint endpoint) {
    return io.sippbx.proto.media.v1.Endpoint.newBuilder()
        .setIp(endpoint.ip().toString())
        .setPort(endpoint.port())
        .build();
  }

  /** The session as it is held; empty if the message makes no sense. */
  static Optional<MediaAnswer> held(Session session) {
    var addresses = new ArrayList<StreamAddresses>(session.getStreamsCount());
    var counts = new ArrayList<StreamCounts>(session.getStreamsCount());
    for (Stream stream : session.getStreamsList()) {
      Optional<Endpoint> aRtp = endpoint(stream.getA().getLocalRtp());
      Optional<Endpoint> aRtcp = endpoint(stream.getA().getLocalRtcp());
      Optional<Endpoint> bRtp = endpoint(stream.getB().getLocalRtp());
      Optional<Endpoint> bRtcp = endpoint(stream.getB().getLocalRtcp());
      if (aRtp.isEmpty() || aRtcp.isEmpty() || bRtp.isEmpty() || bRtcp.isEmpty()) {
        return Optional.empty();
      }
      addresses.add(
          new StreamAddresses(stream.getIndex(), aRtp.get(), aRtcp.get(), bRtp.get(), bRtcp.get()));
      counts.add(
          new StreamCounts(stream.getIndex(), direction(stream.getA()), direction(stream.getB())));
    }
    return Optional.of(new Held(session.getRevision(), addresses, counts));
  }

  private static StreamCounts.Direction direction(StreamEndState end) {
    var received = end.getReceived();
    return new StreamCounts.Direction(
        received.getPackets(),
        received.getBytes(),
        received.getLost(),
        Integer.toUnsignedLong(received.getJitterTicks()));
  }

  private static Optional<Endpoint> endpoint(io.sippbx.proto.media.v1.Endpoint message) {
    int port = message.getPort();
    return port < 1 || port > 65_535
        ? Optional.empty()
        : IpAddress.parse(message.getIp()).map(ip -> new Endpoint(ip, port));
  }

  /** The refusal; empty if this version does not know its code. */
  static Optional<MediaAnswer> refused(Error error) {
    return refusal(error)
        .map(refusal -> new Refused(refusal, error.getDetail(), error.getHeldRevision()));
  }

  private static Optional<Refusal> refusal(Error error) {
    return switch (error.getCode()) {
      case ERROR_CODE_STALE_REVISION -> Optional.of(Refusal.STALE_REVISION);
      case ERROR_CODE_REVISION_REUSED -> Optional.of(Refusal.REVISION_REUSED);
      case ERROR_CODE_RELEASED -> Optional.of(Refusal.RELEASED);
      case ERROR_CODE_PORTS_EXHAUSTED -> Optional.of(Refusal.PORTS_EXHAUSTED);
      case ERROR_CODE_PORT_TAKEN -> Optional.of(Refusal.PORT_TAKEN);
      case ERROR_CODE_DRAINING -> Optional.of(Refusal.DRAINING);
      case ERROR_CODE_RESTORING -> Optional.of(Refusal.RESTORING);
      case ERROR_CODE_INVALID_SPEC -> Optional.of(Refusal.INVALID_SPEC);
      case ERROR_CODE_TOO_MANY_SESSIONS -> Optional.of(Refusal.TOO_MANY_SESSIONS);
      case ERROR_CODE_OVERLOADED -> Optional.of(Refusal.OVERLOADED);
      case ERROR_CODE_FAMILY_UNAVAILABLE -> Optional.of(Refusal.FAMILY_UNAVAILABLE);
      case ERROR_CODE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
    };
  }
}
