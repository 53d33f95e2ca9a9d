package io.sippbx.media.control;

import com.google.protobuf.Duration;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.session.EndSpec;
import io.sippbx.media.session.SessionSpec;
import io.sippbx.media.session.StreamSpec;
import io.sippbx.proto.media.v1.AddressFamily;
import io.sippbx.proto.media.v1.StreamEnd;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Reads a spec as it came from the network. What is wrong with it is a value that names the field,
 * what was expected and what came.
 */
final class SpecReader {

  private static final int MAX_INDEX = 255;
  private static final int MAX_MEDIA_CHARS = 32;
  private static final int MAX_PAYLOAD_TYPE = 127;
  private static final int MAX_PORT = 65_535;
  private static final long MAX_TIMEOUT_S = 86_400;
  private static final int SHOWN_CHARS = 64;

  private final int maxStreams;

  SpecReader(int maxStreams) {
    this.maxStreams = maxStreams;
  }

  /** What a spec is. */
  sealed interface Reading {
    record Valid(SessionSpec spec) implements Reading {}

    record Invalid(String field, String expected, String actual) implements Reading {
      @Override
      public String toString() {
        return "Expected " + field + " to be " + expected + ", but got " + actual;
      }
    }
  }

  /** Leaves the reading early; never leaves this class. */
  @SuppressWarnings("serial")
  private static final class Wrong extends RuntimeException {
    private final Reading.Invalid invalid;

    Wrong(String field, String expected, Object actual) {
      super(null, null, false, false);
      invalid = new Reading.Invalid(field, expected, shown(String.valueOf(actual)));
    }
  }

  Reading read(io.sippbx.proto.media.v1.SessionSpec proto) {
    try {
      return new Reading.Valid(spec(proto));
    } catch (Wrong wrong) {
      return wrong.invalid;
    }
  }

  /** The key of a call, if {@code text} is one and nothing else. */
  static Optional<CallKey> callKey(String text) {
    return text.length() == CallKey.LENGTH ? CallKey.prefixOf(text) : Optional.empty();
  }

  /** A value from the network as it may stand in a message: short and printable. */
  static String shown(String value) {
    var text = new StringBuilder();
    for (int i = 0; i < value.length() && i < SHOWN_CHARS; i++) {
      char c = value.charAt(i);
      text.append(c >= ' ' && c < 127 ? c : '?');
    }
    return value.isEmpty() ? "nothing" : text + (value.length() > SHOWN_CHARS ? "..." : "");
  }

  private SessionSpec spec(io.sippbx.proto.media.v1.SessionSpec proto) {
    CallKey call =
        callKey(proto.getCallKey())
            .orElseThrow(
                () -> new Wrong("call_key", "26 characters of base32", proto.getCallKey()));
    if (proto.getRevision() < 1) {
      throw new Wrong("revision", "from 1 to 2^63-1", Long.toUnsignedString(proto.getRevision()));
    }
    if (proto.getStreamsCount() > maxStreams) {
      throw new Wrong("streams", "at most " + maxStreams, proto.getStreamsCount());
    }
    var streams = new ArrayList<StreamSpec>(proto.getStreamsCount());
    int before = -1;
    for (int i = 0; i < proto.getStreamsCount(); i++) {
      StreamSpec stream = stream(proto.getStreams(i), "streams[" + i + "]", before);
      before = stream.index();
      streams.add(stream);
    }
    return new SessionSpec(
        call,
        proto.getRevision(),
        streams,
        proto.getConfirmed(),
        mediaTimeout(proto.getMediaTimeout()));
  }

  private static java.time.Duration mediaTimeout(Duration proto) {
    if (proto.getSeconds() < 0
        || proto.getSeconds() > MAX_TIMEOUT_S
        || proto.getNanos() < 0
        || proto.getNanos() > 999_999_999) {
      throw new Wrong(
          "media_timeout", "from 0 to 24 h", proto.getSeconds() + " s " + proto.getNanos() + " ns");
    }
    return java.time.Duration.ofSeconds(proto.getSeconds(), proto.getNanos());
  }

  private static StreamSpec stream(
      io.sippbx.proto.media.v1.StreamSpec proto, String field, int before) {
    int index = proto.getIndex();
    if (index < 0 || index > MAX_INDEX) {
      throw new Wrong(field + ".index", "from 0 to " + MAX_INDEX, Integer.toUnsignedString(index));
    }
    if (index <= before) {
      throw new Wrong(field + ".index", "above " + before + ", that of the one before", index);
    }
    String media = proto.getMedia();
    if (media.isEmpty() || media.length() > MAX_MEDIA_CHARS || !isToken(media)) {
      throw new Wrong(field + ".media", "a token of 1 to " + MAX_MEDIA_CHARS, media);
    }
    if (!proto.hasA()) {
      throw new Wrong(field + ".a", "set", "");
    }
    if (!proto.hasB()) {
      throw new Wrong(field + ".b", "set", "");
    }
    return new StreamSpec(
        index,
        media,
        form(proto, field + ".form"),
        end(proto.getA(), field + ".a"),
        end(proto.getB(), field + ".b"));
  }

  private static PayloadForm form(io.sippbx.proto.media.v1.StreamSpec proto, String field) {
    return switch (proto.getForm()) {
      case PAYLOAD_FORM_UNSPECIFIED, PAYLOAD_FORM_RTP -> PayloadForm.RTP;
      case PAYLOAD_FORM_DTLS_SRTP -> PayloadForm.DTLS_SRTP;
      case PAYLOAD_FORM_DATAGRAMS -> PayloadForm.DATAGRAMS;
      // relayed as something else it would pass for working
      case UNRECOGNIZED ->
          throw new Wrong(field, "a form that this node knows", proto.getFormValue());
    };
  }

  private static EndSpec end(StreamEnd proto, String field) {
    boolean v6 = isV6(proto, field);
    Optional<Endpoint> rtp =
        proto.hasRemoteRtp()
            ? Optional.of(remote(proto.getRemoteRtp(), field + ".remote_rtp", v6))
            : Optional.empty();
    Optional<Endpoint> rtcp =
        proto.hasRemoteRtcp()
            ? Optional.of(remote(proto.getRemoteRtcp(), field + ".remote_rtcp", v6))
            : Optional.empty();
    if (rtcp.isPresent() && rtp.isEmpty()) {
      throw new Wrong(field + ".remote_rtcp", "unset while remote_rtp is", rtcp.get());
    }
    int epoch = proto.getLatchEpoch();
    if (epoch < 0) {
      throw new Wrong(field + ".latch_epoch", "from 0 to 2^31-1", Integer.toUnsignedString(epoch));
    }
    int pinned = proto.getPinnedPort();
    if (pinned < 0 || pinned > MAX_PORT || (pinned & 1) != 0) {
      throw new Wrong(
          field + ".pinned_port", "an even port, or 0", Integer.toUnsignedString(pinned));
    }
    return new EndSpec(
        v6,
        rtp,
        rtcp,
        proto.getRtcpMux(),
        proto.getMaySend(),
        proto.getWantsReceive(),
        payloadTypes(proto, field + ".payload_types"),
        epoch,
        pinned);
  }

  private static boolean isV6(StreamEnd proto, String field) {
    return switch (proto.getFamily()) {
      case ADDRESS_FAMILY_IPV4 -> false;
      case ADDRESS_FAMILY_IPV6 -> true;
      case ADDRESS_FAMILY_UNSPECIFIED, UNRECOGNIZED ->
          throw new Wrong(
              field + ".family",
              AddressFamily.ADDRESS_FAMILY_IPV4 + " or " + AddressFamily.ADDRESS_FAMILY_IPV6,
              proto.getFamilyValue());
    };
  }

  private static Endpoint remote(
      io.sippbx.proto.media.v1.Endpoint proto, String field, boolean v6) {
    IpAddress ip =
        IpAddress.parse(proto.getIp())
            .orElseThrow(() -> new Wrong(field + ".ip", "an IP address", proto.getIp()));
    if (ip.isV6() != v6) {
      throw new Wrong(field + ".ip", "of the family of the end", ip);
    }
    // Nobody is to make the node send to itself by 0.0.0.0, or to many at once.
    int first = ip.octets()[0] & 255;
    if (ip.isUnspecified() || (v6 ? first == 255 : first == 0 || first >= 224)) {
      throw new Wrong(field + ".ip", "the address of one host", ip);
    }
    int port = proto.getPort();
    if (port < 1 || port > MAX_PORT) {
      throw new Wrong(field + ".port", "from 1 to 65535", Integer.toUnsignedString(port));
    }
    return new Endpoint(ip, port);
  }

  private static List<Integer> payloadTypes(StreamEnd proto, String field) {
    var seen = new BitSet(MAX_PAYLOAD_TYPE + 1);
    for (int payloadType : proto.getPayloadTypesList()) {
      if (payloadType < 0 || payloadType > MAX_PAYLOAD_TYPE) {
        throw new Wrong(field, "from 0 to 127", Integer.toUnsignedString(payloadType));
      }
      seen.set(payloadType);
    }
    // In their order and each once: two specs that mean the same are the same.
    return seen.stream().boxed().toList();
  }

  private static boolean isToken(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c <= ' ' || c >= 127) {
        return false;
      }
    }
    return true;
  }
}
