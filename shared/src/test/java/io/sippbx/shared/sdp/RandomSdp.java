package io.sippbx.shared.sdp;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Descriptions that are well formed in all the ways that peers have, from a seed. */
final class RandomSdp {

  private final Random random;

  RandomSdp(long seed) {
    this.random = new Random(seed);
  }

  /** Lines with CR LF at their ends. */
  String next() {
    var lines = new ArrayList<String>();
    lines.add("v=0");
    lines.add("o=" + word() + " " + number() + " " + number() + " " + address());
    maybe(lines, "s=" + word());
    maybe(lines, "i=" + word() + "  " + word());
    maybe(lines, "u=http://example.com/" + word());
    maybe(lines, "e=" + word() + "@example.com");
    boolean sessionConnection = random.nextBoolean();
    if (sessionConnection) {
      lines.add("c=" + address());
    }
    maybe(lines, "b=AS:" + number());
    maybe(lines, "t=0 0");
    attributes(lines);
    int media = random.nextInt(5);
    for (int i = 0; i < media; i++) {
      int port = random.nextInt(4) == 0 ? 0 : 1 + random.nextInt(65_535);
      lines.add("m=" + media() + " " + port + count() + " " + protocol() + formats());
      maybe(lines, "i=" + word());
      if (!sessionConnection || random.nextInt(3) == 0) {
        lines.add("c=" + address());
      }
      maybe(lines, "b=TIAS:" + number());
      maybe(lines, "k=prompt");
      attributes(lines);
    }
    return String.join("\r\n", lines) + "\r\n";
  }

  private void attributes(List<String> lines) {
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      lines.add(
          switch (random.nextInt(10)) {
            case 0 ->
                "a="
                    + List.of("sendrecv", "sendonly", "recvonly", "inactive")
                        .get(random.nextInt(4));
            case 1 -> "a=rtpmap:" + random.nextInt(128) + " " + word() + "/" + number();
            case 2 -> "a=fmtp:" + random.nextInt(128) + " " + word() + "=" + number();
            case 3 -> "a=rtcp:" + random.nextInt(65_536);
            case 4 -> "a=rtcp:" + random.nextInt(65_536) + " " + address();
            case 5 -> "a=rtcp-mux";
            case 6 -> "a=ptime:" + random.nextInt(200);
            case 7 -> (char) ('A' + random.nextInt(26)) + "=" + word();
            case 8 -> "a=X-" + word() + ": " + octets();
            default -> "a=" + word();
          });
    }
  }

  private String octets() {
    var text = new StringBuilder();
    for (int i = 0; i < random.nextInt(20); i++) {
      text.append((char) (32 + random.nextInt(224)));
    }
    return text.toString();
  }

  private String formats() {
    var text = new StringBuilder();
    for (int i = 0; i <= random.nextInt(5); i++) {
      text.append(' ').append(random.nextInt(128));
    }
    return text.toString();
  }

  private String count() {
    return random.nextInt(5) == 0 ? "/" + (1 + random.nextInt(3)) : "";
  }

  private String media() {
    return List.of("audio", "video", "image", "text", "application", "Audio")
        .get(random.nextInt(6));
  }

  private String protocol() {
    return List.of("RTP/AVP", "RTP/SAVPF", "udptl", "TCP/MSRP", "UDP/X", "RTP/AVPF")
        .get(random.nextInt(6));
  }

  private String address() {
    return switch (random.nextInt(4)) {
      case 0 -> "IN IP6 2001:db8::" + Integer.toHexString(1 + random.nextInt(65_535));
      case 1 -> "IN IP4 0.0.0.0";
      case 2 -> "IN IP4 " + word() + ".example.com";
      default -> "IN IP4 192.0.2." + random.nextInt(256);
    };
  }

  private int number() {
    return random.nextInt(1_000_000);
  }

  private String word() {
    var text = new StringBuilder();
    for (int i = 0; i <= random.nextInt(8); i++) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    return text.toString();
  }

  private void maybe(List<String> lines, String line) {
    if (random.nextInt(3) > 0) {
      lines.add(line);
    }
  }
}
