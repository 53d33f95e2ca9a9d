package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Hostile messages cost what their length costs. Each is parsed, all its views are made, at a size
 * and at sixteen times that size: work that grew with the square would take 256 times as long, and
 * is told from linear work with a margin of four on either side, in CPU time, best of many.
 */
@DisplayName("cost is linear (DESIGN.md, law 7)")
class ParserCostTest {

  private static final String START =
      String.join(
          "\r\n",
          "OPTIONS sip:b@c SIP/2.0",
          "Via: SIP/2.0/UDP d;branch=z9hG4bK1",
          "From: <sip:a@b>;tag=1",
          "To: <sip:c@d>",
          "Call-ID: e",
          "CSeq: 1 OPTIONS",
          "");
  private static final int SMALL = 2_000;
  private static final int FACTOR = 16;
  private static final SipLimits WIDE =
      new SipLimits(1 << 20, 1 << 20, 1 << 16, 1 << 16, 1 << 16, 1 << 20, 1 << 20);

  /** Headers of about {@code n} octets. */
  record Hostile(String name, IntFunction<String> headers) {

    byte[] message(int n) {
      return (START + headers.apply(n) + "\r\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Hostile> hostile() {
    return List.of(
        new Hostile("unclosed brackets", n -> "Contact: " + "<".repeat(n) + "\r\n"),
        new Hostile(
            "bracketed values", n -> "Contact: " + "<sip:a@b>,".repeat(n / 10) + "<sip:a@b>\r\n"),
        new Hostile("unclosed in list", n -> "Call-Info: " + "<,".repeat(n / 2) + "\r\n"),
        new Hostile("unclosed quotes", n -> "Warning: " + "\"\\\"".repeat(n / 3) + "\r\n"),
        new Hostile("quoted pairs", n -> "Contact: \"" + "\\\\".repeat(n / 2) + "\" <sip:a@b>\r\n"),
        new Hostile("words", n -> "Contact: " + "a ".repeat(n / 2) + "<sip:a@b>\r\n"),
        new Hostile(
            "spaces", n -> "Contact:" + " ".repeat(n) + "<sip:a@b>" + " ".repeat(n) + "\r\n"),
        new Hostile("folds", n -> "X: a" + "\r\n b".repeat(n / 4) + "\r\n"),
        new Hostile("fields", n -> "X: a\r\n".repeat(n / 6)),
        new Hostile("same fields", n -> "Supported: a\r\n".repeat(n / 14)),
        new Hostile("commas", n -> "Accept: " + ",".repeat(n) + "\r\n"),
        new Hostile("vias", n -> "Via: SIP/2.0/UDP a" + ", SIP/2.0/UDP b".repeat(n / 15) + "\r\n"),
        new Hostile("long host", n -> "Contact: <sip:" + "a".repeat(n) + ">\r\n"),
        new Hostile("at signs", n -> "Contact: <sip:" + "@".repeat(n) + ">\r\n"),
        new Hostile("percent", n -> "Contact: <sip:" + "%41".repeat(n / 3) + "@b>\r\n"),
        new Hostile("semicolons", n -> "Contact: <sip:a@b>" + ";a".repeat(n / 2) + "\r\n"),
        new Hostile("bad lines", n -> "\u0001\r\n".repeat(n / 3)),
        new Hostile("carriage returns", n -> "X: " + "\r".repeat(n) + "\r\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostile")
  void growsWithTheLength(Hostile hostile) {
    byte[] small = hostile.message(SMALL);
    byte[] large = hostile.message(SMALL * FACTOR);
    for (int i = 0; i < 200; i++) {
      work(small);
    }
    long smallNs = best(small, 16);
    long largeNs = best(large, 1);
    assertTrue(
        largeNs < Math.max(smallNs, 20_000) * 4 * FACTOR,
        hostile + ": " + SMALL + " octets in " + smallNs + " ns, 16 times that in " + largeNs);
  }

  /** The least CPU time of one parse, in nanoseconds. */
  private static long best(byte[] octets, int times) {
    var threads = ManagementFactory.getThreadMXBean();
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 15; round++) {
      long start = threads.getCurrentThreadCpuTime();
      for (int i = 0; i < times; i++) {
        work(octets);
      }
      best = Math.min(best, (threads.getCurrentThreadCpuTime() - start) / times);
    }
    return best;
  }

  private static void work(byte[] octets) {
    if (SipParser.parse(octets, 0, octets.length, WIDE)
        instanceof ParseResult.Parsed(SipMessage message, int consumed)) {
      message.contacts();
      message.vias();
      message.headerFields();
      message.headers(HeaderName.ACCEPT);
      message.headers(HeaderName.CALL_INFO);
      message.headers(HeaderName.WARNING);
      message.headers(HeaderName.SUPPORTED);
      message.headers(HeaderName.of("X"));
    }
  }
}
