package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Users with passwords: who may register and call. */
class DigestIT {

  @TempDir static Path folder = Path.of("");
  private static EdgeProcess edge = notYet();

  @SuppressWarnings("NullAway") // Set before the first test.
  private static EdgeProcess notYet() {
    return null;
  }

  @BeforeAll
  static void start() {
    edge = EdgeProcess.standalone(folder, Passwords.users("alice", "bob"));
  }

  @AfterAll
  static void stop() {
    edge.close();
  }

  @ParameterizedTest
  @EnumSource(Transport.class)
  void callsWithPasswords(Transport transport) {
    try (Sipp callee = Sipp.scenario("callee").over(transport).option("-d", "50").listen(folder)) {
      Sipp.scenario("register-digest")
          .over(transport)
          .at(Phones.registrant(transport, "127.0.0.1"))
          .with("user", "bob")
          .with("contact", Phones.contact("bob", "127.0.0.1", callee, transport))
          .option("-au", "bob", "-ap", Passwords.of("bob"))
          .succeed(folder, edge.sip(transport));
      Sipp caller =
          Sipp.scenario("caller-digest")
              .over(transport)
              .option("-au", "alice", "-ap", Passwords.of("alice"), "-d", "200")
              .option("-auth_uri", "bob@" + edge.sip(transport))
              .succeed(folder, edge.sip(transport));
      callee.awaitSuccess();
      edge.awaitNothingLeft();
      assertThat(edge.cdr(caller.callId()).path("status").asText()).isEqualTo("completed");
      // Bob's next contact must not be called beside this one.
      Sipp.scenario("unregister-digest")
          .over(transport)
          .with("user", "bob")
          .option("-au", "bob", "-ap", Passwords.of("bob"))
          .succeed(folder, edge.sip(transport));
    }
  }

  @Test
  void registersNobodyWithWrongPassword() {
    Sipp.scenario("register-refused")
        .with("user", "bob")
        .with("contact", "sip:bob@127.0.0.1:9")
        .with("status", 401)
        .option("-au", "bob", "-ap", "wrong")
        .succeed(folder, edge.sip(Transport.UDP));
  }

  @Test
  void callsNobodyWithWrongPassword() {
    Sipp.scenario("caller-digest-refused")
        .with("status", 407)
        .option("-au", "alice", "-ap", "wrong")
        .option("-auth_uri", "bob@" + edge.sip(Transport.UDP))
        .succeed(folder, edge.sip(Transport.UDP));
    assertThat(edge.activeCalls()).isZero();
    assertThat(edge.portsInUse()).isZero();
  }
}
