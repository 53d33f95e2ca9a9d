package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two control nodes with one address: whichever a message reaches, it finds its call. */
class SharedAddressIT {

  private static final Duration WITHIN = ControlSite.WITHIN;
  private static final int CALLERS = 20;

  @TempDir Path folder = Path.of("");

  private final int sipPort = Ports.range(1);

  @SuppressWarnings("NullAway.Init") // before each test
  private ControlSite site;

  @BeforeEach
  void startsRedisAndMedia() throws Exception {
    site = new ControlSite(folder);
  }

  @AfterEach
  void closesAll() {
    site.close();
  }

  private EdgeProcess control(String name) throws IOException {
    return site.control(name, "shared", sipPort);
  }

  @Test
  void callsAPhoneByTheConnectionThatOneOfThemHolds() throws Exception {
    EdgeProcess a = control("a");
    EdgeProcess b = control("b");
    ControlSite.awaitMesh(a, b);
    String edge = "127.0.0.1:" + sipPort;
    try (var phone = new TcpPhone(edge, "bob")) {
      assertThat(phone.register()).startsWith("SIP/2.0 200 ");
      for (int i = 0; i < CALLERS; i++) {
        // Each from a port of its own, so that the kernel gives them to both.
        try (var caller = new RawSip(edge)) {
          caller.send(
              caller.request(
                  "INVITE",
                  "UDP",
                  "sip:bob@127.0.0.1",
                  "Contact: <sip:raw@" + caller.local() + ">\r\n"));
          phone.answer(invite(phone), "486 Busy Here", "");
          assertThat(lastAnswer(caller)).startsWith("SIP/2.0 486 ");
        }
      }
      double taken =
          ControlSite.metric(a, "sip_mesh_messages_total{outcome=\"taken\"}")
              + ControlSite.metric(b, "sip_mesh_messages_total{outcome=\"taken\"}");
      assertThat(taken).as("messages between the two").isGreaterThan(0);
      assertThat(started(a)).isPositive();
      assertThat(started(b)).isPositive();
    }
  }

  private static double started(EdgeProcess edge) {
    return ControlSite.metric(edge, "sip_total_calls_total")
        + ControlSite.metric(edge, "sip_total_calls");
  }

  /** It listens nowhere, and comes back from another port. */
  @Test
  void goesOnWithACallWhosePhonesConnectionDiedWithItsNode() throws Exception {
    EdgeProcess a = control("a");
    EdgeProcess b = control("b");
    ControlSite.awaitMesh(a, b);
    String edge = "127.0.0.1:" + sipPort;
    try (var caller = new UdpPhone(RawSip.address(edge), "alice")) {
      try (var phone = new TcpPhone(edge, "bob")) {
        assertThat(phone.register()).startsWith("SIP/2.0 200 ");
        String invite = caller.invitation("bob");
        caller.send(invite);
        phone.answer(invite(phone), "200 OK", caller.sdp().replace("\r\n", "\n"));
        String answered =
            caller.await("200", WITHIN, message -> UdpPhone.isFinalTo(invite, message));
        assertThat(answered).startsWith("SIP/2.0 200 ");
        caller.joins(answered);
        caller.send(caller.acknowledgement(invite, answered));
        assertThat(phone.receive()).startsWith("ACK ");
        EdgeProcess holder = ControlSite.metric(a, "sip_connections") > 0 ? a : b;
        assertThat(ControlSite.metric(holder, "sip_connections")).isEqualTo(1);
        holder.child().kill();
        holder.child().awaitExit(WITHIN);
      }
      try (var phone = new TcpPhone(edge, "bob")) {
        assertThat(phone.register()).startsWith("SIP/2.0 200 ");
        String bye = caller.within("BYE", "");
        // What it says is for the dead node until that is known to be dead: it says it again.
        var answered = new FutureTask<>(() -> caller.ask(bye, WITHIN));
        Thread.ofVirtual().start(answered);
        String heard = phone.receive();
        while (heard.startsWith("ACK ")) {
          // Who takes the call over does not know whether it was sent.
          heard = phone.receive();
        }
        assertThat(heard).startsWith("BYE ");
        phone.answer(heard, "200 OK", "");
        assertThat(answered.get()).startsWith("SIP/2.0 200 ");
      }
    }
  }

  /** The next INVITE; ACKs are of earlier ones, and OPTIONS and the like do not come. */
  private static String invite(TcpPhone phone) throws IOException {
    while (true) {
      String request = phone.receive();
      if (request.startsWith("INVITE ")) {
        return request;
      }
    }
  }

  private static String lastAnswer(RawSip caller) {
    while (true) {
      Optional<String> answer = caller.receive(WITHIN);
      if (answer.isEmpty()) {
        return "nothing";
      }
      if (!answer.get().startsWith("SIP/2.0 1")) {
        return answer.get();
      }
    }
  }

  @Test
  void refusesANodeThatDoesNotShare() throws Exception {
    control("a");
    var command = new ArrayList<>(site.arguments("c", "node", 0));
    command.addAll(
        List.of(
            "--set=sip.listen_ip=127.0.0.1",
            "--set=cdr.enabled=false",
            "--set=monitoring.prometheus_port=0",
            "--set=monitoring.health_check_port=0"));
    try (Child other = EdgeProcess.run(folder, command)) {
      assertThat(other.awaitExit(Duration.ofSeconds(60))).isNotZero();
      assertThat(other.output())
          .contains("sip.address_mode = node: expected the same on all nodes", "but a has shared");
    }
  }
}
