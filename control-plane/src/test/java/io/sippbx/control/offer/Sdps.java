package io.sippbx.control.offer;

import io.sippbx.control.media.StreamAddresses;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.SdpLimits;
import io.sippbx.shared.sdp.SdpParseResult.Malformed;
import io.sippbx.shared.sdp.SdpParseResult.Parsed;
import io.sippbx.shared.sdp.SessionDescription;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Descriptions and addresses for tests. */
final class Sdps {

  /** In our "o=" lines. */
  static final IpAddress ORIGIN = IpAddress.of("203.0.113.9");

  /** Where the media node receives from A and from B. */
  static final String NODE_A = "203.0.113.10";

  static final String NODE_B = "203.0.113.20";

  private Sdps() {}

  static SessionDescription sdp(String text) {
    return switch (SessionDescription.parse(
        text.getBytes(StandardCharsets.ISO_8859_1), SdpLimits.DEFAULT)) {
      case Parsed(SessionDescription description) -> description;
      case Malformed malformed -> throw new IllegalArgumentException(malformed + " in\n" + text);
    };
  }

  /** A description of a peer at {@code ip} with these media lines and what belongs to them. */
  static SessionDescription peer(String ip, String media) {
    String family = ip.contains(":") ? "IP6" : "IP4";
    return sdp(
        "v=0\no=peer 1 1 IN "
            + family
            + " "
            + ip
            + "\ns=-\nc=IN "
            + family
            + " "
            + ip
            + "\nt=0 0\n"
            + media);
  }

  /** Addresses of {@code count} streams: RTP at 10000, 10010 ... for A, 20000, 20010 ... for B. */
  static List<StreamAddresses> addresses(int count) {
    return addresses(count, NODE_A, NODE_B);
  }

  static List<StreamAddresses> addresses(int count, String ipA, String ipB) {
    var addresses = new ArrayList<StreamAddresses>(count);
    for (int i = 0; i < count; i++) {
      addresses.add(
          new StreamAddresses(
              i,
              Endpoint.of(ipA, 10_000 + 10 * i),
              Endpoint.of(ipA, 10_001 + 10 * i),
              Endpoint.of(ipB, 20_000 + 10 * i),
              Endpoint.of(ipB, 20_001 + 10 * i)));
    }
    return addresses;
  }

  static LegSdp leg(End end) {
    return LegSdp.start(end, end == End.A ? 1001 : 2002, ORIGIN);
  }
}
