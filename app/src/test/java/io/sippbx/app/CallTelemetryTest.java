package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessRequest;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.telemetry.Metrics;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class CallTelemetryTest {

  private static final Flow STRANGER =
      Flow.udp(Endpoint.of("192.0.2.1", 5060), Endpoint.of("198.51.100.7", 5060));

  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final Logger log = (Logger) LoggerFactory.getLogger("io.sippbx.access");

  @BeforeEach
  void listen() {
    lines.start();
    log.addAppender(lines);
  }

  @AfterEach
  void stopListening() {
    log.detachAppender(lines);
  }

  @Test
  void whoIsRefusedForWantOfUsersIsLoggedWithWhatToConfigure() {
    try (Metrics metrics = new Metrics()) {
      var telemetry = new CallTelemetry(metrics, System::nanoTime);
      telemetry.decided(Method.REGISTER, withoutUsers(), STRANGER);
      assertThat(lines.list).hasSize(1);
      ILoggingEvent line = lines.list.getFirst();
      assertThat(line.getMessage()).isEqualTo("access.refused");
      assertThat(line.getKeyValuePairs().toString())
          .contains("198.51.100.7", "REGISTER", "403", "sip.users");
    }
  }

  private static AccessDecision withoutUsers() {
    byte[] secret = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    var policy =
        new AccessPolicy(
            AuthSettings.of("test"),
            new ConfiguredUsers("test", List.of()),
            secret,
            domain -> true);
    var request =
        new AccessRequest(
            Method.REGISTER, Uri.of("sip:test"), STRANGER.remote().ip(), List.of(), "call-1");
    return policy.decide(request, Instant.EPOCH);
  }
}
