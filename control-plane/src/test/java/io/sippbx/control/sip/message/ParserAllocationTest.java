package io.sippbx.control.sip.message;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ParserAllocationTest {

  private static final int TIMES = 200;
  private static final int MOST = 1_000;

  @Test
  void takesAtMostAKilobyteForAnInviteOfAKilobyte() {
    byte[] invite = invite();
    assertThat(invite).hasSizeBetween(990, 1_010);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    parse(invite);
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < TIMES; i++) {
      parse(invite);
    }
    long each = (threads.getCurrentThreadAllocatedBytes() - before) / TIMES;
    assertThat(each).as("octets allocated beside the datagram").isLessThan(MOST);
  }

  private static void parse(byte[] invite) {
    assertThat(SipParser.parseOwned(invite, SipLimits.DEFAULT) instanceof ParseResult.Parsed)
        .isTrue();
  }

  private static byte[] invite() {
    String head =
        """
        INVITE sip:callee@example.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabcdefgh;rport
        Max-Forwards: 70
        From: "A caller" <sip:caller@example.com>;tag=abcdefgh
        To: <sip:callee@example.com>
        Call-ID: 0123456789abcdef@192.0.2.1
        CSeq: 1 INVITE
        Contact: <sip:caller@192.0.2.1:5060>
        Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK
        Supported: timer, replaces, 100rel
        Session-Expires: 1800
        User-Agent: a telephone
        Content-Type: application/sdp

        """;
    String body = "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n";
    String text = head + body;
    text += "a=x:" + "y".repeat(1_000 - 6 - text.replace("\n", "\r\n").length()) + "\n";
    return text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8);
  }
}
