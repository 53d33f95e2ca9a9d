package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two control nodes, each with an address of its own: what one had sent and not heard when it was
 * killed, the other begins anew (ADR 12).
 */
class PerNodeAddressIT {

  /** The dead one is taken for dead after its lease. */
  private static final Duration WITHIN = Duration.ofSeconds(30);

  @TempDir Path folder = Path.of("");

  private final List<UdpPhone> phones = new ArrayList<>();

  @AfterEach
  void closesPhones() {
    phones.forEach(UdpPhone::close);
  }

  /** Two phones, and the INVITE as one sent it and the other got it. */
  private record Talk(UdpPhone caller, UdpPhone callee, String sent, String got) {

    /** The callee takes up what it was invited to by {@code invite}. */
    void isAnswered(String invite) {
      callee.isInvited(invite);
      callee.send(callee.answer(invite, "200 OK", callee.sdp()));
      String answered = caller.await("200", WITHIN, message -> UdpPhone.isFinalTo(sent, message));
      assertThat(answered).startsWith("SIP/2.0 200 ");
      caller.joins(answered);
      callee.awaitRequest("ACK", WITHIN, () -> caller.send(caller.acknowledgement(sent, answered)));
    }

    void speakTo(InetSocketAddress edge) {
      caller.speaksTo(edge);
      callee.speaksTo(edge);
    }
  }

  private UdpPhone phone(InetSocketAddress edge, String user) {
    var phone = new UdpPhone(edge, user);
    phones.add(phone);
    return phone;
  }

  private Talk ringing(InetSocketAddress edge, String name) {
    UdpPhone caller = phone(edge, name + "-a");
    UdpPhone callee = phone(edge, name + "-b");
    assertThat(callee.ask(callee.registration(), WITHIN)).startsWith("SIP/2.0 200 ");
    String invite = caller.invitation(name + "-b");
    caller.send(invite);
    String got = callee.awaitRequest("INVITE", WITHIN);
    callee.isInvited(got);
    callee.send(callee.answer(got, "180 Ringing", ""));
    caller.await("180", WITHIN, message -> message.startsWith("SIP/2.0 180 "));
    return new Talk(caller, callee, invite, got);
  }

  /** A request that the node of this address sends by itself. */
  private static String awaitFrom(UdpPhone phone, String method, String address) {
    return phone.await(
        method + " of " + address,
        WITHIN,
        message ->
            message.startsWith(method + " ")
                && message.contains("\r\nVia: SIP/2.0/UDP " + address + ";"));
  }

  private static String header(String message, String name) {
    return message
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theOtherBeginsAnewWhatADeadNodeHadSent() throws Exception {
    try (var site = new ControlSite(folder)) {
      EdgeProcess a = site.control("a", "node", Ports.range(1));
      EdgeProcess b = site.control("b", "node", Ports.range(1));
      ControlSite.awaitMesh(a, b);
      InetSocketAddress atA = RawSip.address(a.address("udp"));
      InetSocketAddress atB = RawSip.address(b.address("udp"));
      Talk rings = ringing(atA, "rings");
      Talk up = ringing(atA, "up");
      up.isAnswered(up.got());
      Talk ends = ringing(atA, "ends");
      ends.isAnswered(ends.got());
      // It hangs up, is answered, and the other does not say that it has heard of it.
      assertThat(ends.caller().ask(ends.caller().within("BYE", ""), WITHIN))
          .startsWith("SIP/2.0 200 ");
      String bye = awaitFrom(ends.callee(), "BYE", a.address("udp"));

      a.child().kill();
      a.child().awaitExit(WITHIN);
      List.of(rings, up, ends).forEach(talk -> talk.speakTo(atB));

      String byeAgain = awaitFrom(ends.callee(), "BYE", b.address("udp"));
      assertThat(header(byeAgain, "Call-ID")).isEqualTo(header(bye, "Call-ID"));
      assertThat(Long.parseLong(header(byeAgain, "CSeq").split(" ")[0]))
          .isEqualTo(Long.parseLong(header(bye, "CSeq").split(" ")[0]) + 1);
      ends.callee().send(ends.callee().answer(byeAgain, "200 OK", ""));

      // What it answers to the CANCEL and to what that ends goes to the dead one's address.
      String again = awaitFrom(rings.callee(), "INVITE", b.address("udp"));
      assertThat(header(again, "Call-ID")).isNotEqualTo(header(rings.got(), "Call-ID"));
      rings.isAnswered(again);
      hangsUp(rings);
      // The caller's proxy knows of both nodes; to the other the call is as good as its own.
      hangsUp(up);

      b.awaitNothingLeft();
      // Of the first the end is told when nobody waits for its first INVITE any more: 32 s.
      for (Talk talk : List.of(up, ends)) {
        assertThat(b.cdr(talk.caller().callId()).path("status").asText()).isEqualTo("completed");
      }
    }
  }

  private static void hangsUp(Talk talk) {
    String bye = talk.caller().within("BYE", "");
    talk.caller().send(bye);
    String heard = talk.callee().awaitRequest("BYE", WITHIN);
    talk.callee().send(talk.callee().answer(heard, "200 OK", ""));
    assertThat(talk.caller().ask(bye, WITHIN)).startsWith("SIP/2.0 200 ");
  }
}
