package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.config.Secret;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class WebhookSignatureTest {

  private static final Secret<String> SECRET =
      new Secret<>("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  private static final Secret<String> OTHER =
      new Secret<>("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
  private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  private static final long TIME = 1_614_265_330L;
  private static final byte[] BODY = "{\"test\": 2432232314}".getBytes(StandardCharsets.UTF_8);

  @Test
  void isThatOfTheSpecificationsExample() {
    assertThat(new WebhookSignature(List.of(SECRET)).of(ID, TIME, BODY))
        .contains("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  }

  @Test
  void hasOneForEachSecretWhileSecretsChange() {
    String first = new WebhookSignature(List.of(SECRET)).of(ID, TIME, BODY).orElseThrow();
    String second = new WebhookSignature(List.of(OTHER)).of(ID, TIME, BODY).orElseThrow();
    assertThat(second).isNotEqualTo(first);
    assertThat(new WebhookSignature(List.of(OTHER, SECRET)).of(ID, TIME, BODY))
        .contains(second + " " + first);
  }

  @Test
  void isAbsentWithoutSecrets() {
    assertThat(new WebhookSignature(List.of()).of(ID, TIME, BODY)).isEmpty();
  }

  @Test
  void takesNoSecretOfAnotherKind() {
    var wrong = List.of(new Secret<>("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    assertThatThrownBy(() -> new WebhookSignature(wrong))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("whsec_");
  }
}
