package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The messages of RFC 4475 and RFC 5118 against the expectation beside each: {@code verdict} is the
 * RFC's (accept, reject with status and reason, drop), the other lines are facts of {@link
 * MessageFacts}. A line {@code deviation: VERDICT | reason} says what is done instead; it fails
 * here once the RFC's verdict is met.
 */
@DisplayName("torture messages (RFC 4475, RFC 5118)")
class TortureTest {

  static List<RfcMessages.RfcMessage> all() {
    return RfcMessages.all();
  }

  @Test
  void hasAllMessagesOfBothRfcs() {
    assertEquals(49, RfcMessages.in("rfc4475").size());
    assertEquals(12, RfcMessages.in("rfc5118").size());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void meetsTheVerdict(RfcMessages.RfcMessage message) {
    String verdict = verdict(parse(message), message.bytes());
    String rfc = message.line("verdict");
    String deviation = message.line("deviation");
    if (deviation.isEmpty()) {
      assertEquals(rfc, verdict, message.line("section"));
    } else {
      assertTrue(deviation.contains("|"), "a deviation has a reason: " + deviation);
      assertNotEquals(rfc, verdict, "now meets the RFC: remove the deviation");
      assertEquals(deviation.substring(0, deviation.indexOf('|')).strip(), verdict);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void showsTheFacts(RfcMessages.RfcMessage message) {
    ParseResult result = parse(message);
    for (String line : message.expectation()) {
      if (line.startsWith("#")) {
        continue;
      }
      int colon = factColon(line);
      String name = line.substring(0, colon);
      String value = line.substring(colon + 1).strip();
      switch (name) {
        case "section", "verdict", "deviation" -> {}
        case "answerable" ->
            assertEquals(
                value,
                Boolean.toString(((ParseResult.Malformed) result).answerable().isPresent()),
                line);
        default -> check(((ParseResult.Parsed) result).message(), name, value);
      }
    }
  }

  /**
   * The first colon that a space or the line's end follows: names of headers may hold odd things.
   */
  private static int factColon(String line) {
    int colon = line.indexOf(": ");
    assertTrue(colon > 0, "a fact has a name and a value: " + line);
    return colon;
  }

  private static void check(SipMessage message, String name, String value) {
    if (name.endsWith(".equivalent")) {
      assertTrue(uri(message, name).equivalent(Uri.of(value)), name + ": " + value);
      assertTrue(Uri.of(value).equivalent(uri(message, name)), name + ": " + value);
    } else if (name.endsWith(".different")) {
      assertFalse(uri(message, name).equivalent(Uri.of(value)), name + ": " + value);
    } else {
      assertEquals(value, MessageFacts.of(message, name), name);
    }
  }

  private static Uri uri(SipMessage message, String name) {
    return MessageFacts.uriOf(message, Arrays.asList(name.split("\\.")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void writesWhatItRead(RfcMessages.RfcMessage message) {
    if (parse(message) instanceof ParseResult.Parsed(SipMessage parsed, int consumed)) {
      byte[] bytes = message.bytes();
      assertEquals(bytes.length, consumed);
      assertArrayEquals(Arrays.copyOf(bytes, parsed.size()), parsed.toBytes());
    }
  }

  /** What can be answered gives a response with the five headers that the peer needs. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("all")
  void answersWhatCanBeAnswered(RfcMessages.RfcMessage message) {
    if (parse(message) instanceof ParseResult.Malformed malformed
        && malformed.answerable().isPresent()) {
      SipRequest request = malformed.answerable().get();
      SipResponse response =
          SipResponse.to(request, malformed.status()).reason(malformed.reason()).build();
      byte[] bytes = response.toBytes();
      var again = (ParseResult.Parsed) SipParser.parse(bytes, 0, bytes.length, SipLimits.DEFAULT);
      assertEquals(request.vias(), again.message().vias());
      assertEquals(request.callId(), again.message().callId());
      assertEquals(request.cSeq(), again.message().cSeq());
      assertEquals(request.from(), again.message().from());
      assertEquals(request.to(), again.message().to());
    }
  }

  private static ParseResult parse(RfcMessages.RfcMessage message) {
    byte[] bytes = message.bytes();
    return SipParser.parse(bytes, 0, bytes.length, SipLimits.DEFAULT);
  }

  /** A response that is malformed is dropped, since nobody answers a response. */
  private static String verdict(ParseResult result, byte[] bytes) {
    return switch (result) {
      case ParseResult.Parsed parsed -> "accept";
      case ParseResult.Malformed malformed when bytes[0] == 'S' && bytes[3] == '/' -> "drop";
      case ParseResult.Malformed malformed ->
          "reject " + malformed.status() + " " + malformed.reason();
      case ParseResult.NeedMoreBytes needMore -> "need more";
      case ParseResult.KeepAlive keepAlive -> "keep-alive";
    };
  }
}
