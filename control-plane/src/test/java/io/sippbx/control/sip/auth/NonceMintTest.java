package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.sip.auth.NonceMint.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NonceMintTest {

  private static final Instant NOW = Instant.parse("2026-03-04T05:06:07.890Z");
  private static final Duration LIFETIME = Duration.ofMinutes(5);

  private final NonceMint mint = mint("the secret", "pbx");

  @Test
  void knowsItsOwnAtAnyNodeWithTheSecret() {
    String nonce = mint.mint(NOW, "call-1");
    assertThat(nonce).hasSize(NonceMint.NONCE_LENGTH).matches("[A-Za-z0-9_-]+");
    var verdict = (Verdict.Fresh) mint("the secret", "pbx").check(nonce, NOW.plusSeconds(1));
    assertThat(verdict.issuedAt()).isEqualTo(NOW);
    assertThat(verdict.expiresAt()).isEqualTo(NOW.plus(LIFETIME));
  }

  @Test
  void expiresToTheMillisecond() {
    String nonce = mint.mint(NOW, "call-1");
    assertThat(mint.check(nonce, NOW.plus(LIFETIME).minusMillis(1)))
        .isInstanceOf(Verdict.Fresh.class);
    assertThat(mint.check(nonce, NOW.plus(LIFETIME))).isEqualTo(new Verdict.Expired());
  }

  @Test
  void toleratesAClockThatIsALittleAhead() {
    String nonce = mint.mint(NOW, "call-1");
    assertThat(mint.check(nonce, NOW.minusSeconds(30))).isInstanceOf(Verdict.Fresh.class);
    assertThat(mint.check(nonce, NOW.minusMillis(30_001))).isEqualTo(new Verdict.Expired());
  }

  @Test
  void doesNotKnowThoseOfAnotherSecretOrRealm() {
    String nonce = mint.mint(NOW, "call-1");
    assertThat(mint("another secret", "pbx").check(nonce, NOW)).isEqualTo(new Verdict.Forged());
    assertThat(mint("the secret", "other").check(nonce, NOW)).isEqualTo(new Verdict.Forged());
  }

  @Test
  void noticesAChangeOfAnyCharacter() {
    String nonce = mint.mint(NOW, "call-1");
    for (int i = 0; i < nonce.length(); i++) {
      for (char c : "ABCDEFGHabcdefgh0123_-=+/ \u00e4".toCharArray()) {
        if (nonce.charAt(i) != c) {
          String changed = nonce.substring(0, i) + c + nonce.substring(i + 1);
          assertThat(mint.check(changed, NOW)).as(changed).isEqualTo(new Verdict.Forged());
        }
      }
    }
  }

  @Test
  void partsTheNoncesOfOneMillisecond() {
    var nonces = new TreeSet<String>();
    var ids = new TreeSet<Long>();
    for (int i = 0; i < 1000; i++) {
      String nonce = mint.mint(NOW, "call-" + i);
      nonces.add(nonce);
      ids.add(((Verdict.Fresh) mint.check(nonce, NOW)).nonceId());
    }
    assertThat(nonces).hasSize(1000);
    assertThat(ids).hasSize(1000);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3})
  void takesNoRandomText(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      var text = new StringBuilder();
      int length = random.nextBoolean() ? NonceMint.NONCE_LENGTH : random.nextInt(100);
      while (text.length() < length) {
        text.append((char) (33 + random.nextInt(94)));
      }
      assertThat(mint.check(text.toString(), NOW)).isEqualTo(new Verdict.Forged());
    }
  }

  @Test
  void refusesSettingsThatCannotWork() {
    assertThatThrownBy(() -> mint("", "pbx")).hasMessageContaining("cluster secret");
    assertThatThrownBy(() -> new NonceMint(new byte[1], "pbx", Duration.ZERO))
        .hasMessageContaining("lifetime");
  }

  private static NonceMint mint(String secret, String realm) {
    return new NonceMint(secret.getBytes(StandardCharsets.UTF_8), realm, LIFETIME);
  }
}
