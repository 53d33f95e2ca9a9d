package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.auth.DigestCredentials.Result;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Authorization and Proxy-Authorization (RFC 3261 20.7, RFC 7616 3.4)")
class DigestCredentialsTest {

  private static final String ALL =
      "Digest username=\"bob\", realm=\"biloxi.example\", nonce=\"dcd98b\","
          + " uri=\"sip:bob@biloxi.example\", qop=auth, nc=00000001, cnonce=\"0a4f\","
          + " response=\"6629fae4\", opaque=\"5ccc\", algorithm=SHA-256";

  @Test
  void readsAllParameters() {
    DigestCredentials credentials = parsed(ALL);
    assertThat(credentials)
        .isEqualTo(
            new DigestCredentials(
                "bob",
                "biloxi.example",
                "dcd98b",
                "sip:bob@biloxi.example",
                "6629fae4",
                "SHA-256",
                Optional.of("auth"),
                Optional.of("00000001"),
                Optional.of("0a4f"),
                Optional.of("5ccc"),
                false));
    assertThat(credentials.nonceCount()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "digest USERNAME=\"bob\",Realm=\"r\",NONCE=\"n\",uri=\"sip:r\",response=\"0\"",
        "Digest username=bob, realm=r, nonce=n, uri=sip:r, response=0",
        "Digest  username = \"bob\" ,\trealm = \"r\" , nonce =\"n\",uri= \"sip:r\",response=\"0\"",
        "Digest ,username=\"bob\",,realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"0\",",
        "Digest username=\"b\\ob\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"0\"",
        " Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"0\" ",
      })
  void toleratesWhatTheFieldWrites(String text) {
    DigestCredentials credentials = parsed(text);
    assertThat(credentials.username()).isEqualTo("bob");
    assertThat(credentials.realm()).isEqualTo("r");
    assertThat(credentials.nonce()).isEqualTo("n");
    assertThat(credentials.uri()).isEqualTo("sip:r");
    assertThat(credentials.response()).isEqualTo("0");
    assertThat(credentials.algorithm()).isEqualTo("MD5");
  }

  @Test
  void takesQuotedNcAndQop() {
    DigestCredentials credentials =
        parsed(ALL.replace("qop=auth", "qop=\"auth\"").replace("00000001", "\"0000001F\""));
    assertThat(credentials.qop()).contains("auth");
    assertThat(credentials.nonceCount()).isEqualTo(31);
  }

  @Test
  void takesAnUnquotedUriWithParameters() {
    assertThat(
            parsed("Digest username=b,realm=r,nonce=a==,uri=sip:r;transport=udp,response=0").uri())
        .isEqualTo("sip:r;transport=udp");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\u0000',
      value = {
        "'' | no authentication scheme",
        ", | no authentication scheme",
        "Digest | no username parameter",
        "Digest username=\"bob\" | no realm parameter",
        "Digest username=\"bob\",realm=\"r\" | no nonce parameter",
        "Digest username=\"bob\",realm=\"r\",nonce=\"n\" | no uri parameter",
        "Digest username=\"bob\",realm=\"r\",nonce=\"n\",uri=\"u\" | no response parameter",
        "Digest username=\"bob | unterminated quoted string",
        "Digest username=\"bob\\ | unterminated quoted string",
        "Digest username | expected name=value",
        "Digest =bob | expected name=value",
        "Digest username=\"bob\" realm=\"r\" | expected a comma after username",
        "Digest username=\"bob\", username=\"eve\" | parameter given twice: username",
        "Digest=1 | no space after the scheme",
      })
  void saysWhatIsWrong(String text, String reason) {
    String value = text.equals("''") ? "" : text;
    assertThat(DigestCredentials.parse(value)).isEqualTo(new Result.Malformed(reason));
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "000000001", "0000000g", "", "0x000001", "-0000001"})
  void refusesANonceCountThatIsNotEightDigits(String nc) {
    assertThat(DigestCredentials.parse(ALL.replace("nc=00000001", "nc=\"" + nc + "\"")))
        .isEqualTo(new Result.Malformed("nc must be eight hexadecimal digits"));
  }

  @ParameterizedTest
  @ValueSource(strings = {", nc=00000001", ", cnonce=\"0a4f\""})
  void refusesQopWithoutItsCompanions(String without) {
    assertThat(DigestCredentials.parse(ALL.replace(without, "")))
        .isEqualTo(new Result.Malformed("qop without nc and cnonce"));
  }

  @Test
  void leavesOtherSchemesAlone() {
    assertThat(DigestCredentials.parse("Basic Ym9iOnpvbw=="))
        .isEqualTo(new Result.OtherScheme("Basic"));
    assertThat(DigestCredentials.parse("Bearer a b c \""))
        .isEqualTo(new Result.OtherScheme("Bearer"));
  }

  @Test
  void refusesMoreParametersThanItsLimit() {
    var text = new StringBuilder(ALL);
    for (int i = 0; i < AuthHeader.MAX_PARAMS; i++) {
      text.append(", x").append(i).append("=1");
    }
    assertThat(DigestCredentials.parse(text.toString()))
        .isEqualTo(new Result.Malformed("more than 32 parameters"));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void readsWhatItWrites(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      boolean qop = random.nextBoolean();
      var credentials =
          new DigestCredentials(
              text(random),
              text(random),
              text(random),
              text(random),
              text(random),
              random.nextBoolean() ? "SHA-256" : "MD5",
              qop ? Optional.of("auth") : Optional.empty(),
              qop ? Optional.of(String.format("%08x", random.nextInt())) : Optional.empty(),
              qop ? Optional.of(text(random)) : Optional.empty(),
              random.nextBoolean() ? Optional.of(text(random)) : Optional.empty(),
              false);
      assertThat(DigestCredentials.parse(credentials.toHeaderValue()))
          .as("seed %d", seed)
          .isEqualTo(new Result.Parsed(credentials));
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void givesAnAnswerToAnyText(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      var text = new StringBuilder(ALL);
      for (int changes = random.nextInt(8); changes >= 0; changes--) {
        int at = random.nextInt(text.length() + 1);
        switch (random.nextInt(3)) {
          case 0 -> text.insert(at, (char) random.nextInt(0x180));
          case 1 -> text.delete(at, Math.min(text.length(), at + random.nextInt(20)));
          default -> text.insert(at, "\"\\,= ".charAt(random.nextInt(5)));
        }
      }
      assertThat(DigestCredentials.parse(text.toString())).as("%s", text).isNotNull();
      assertThat(DigestChallenge.parse(text.toString())).as("%s", text).isNotNull();
    }
  }

  private static DigestCredentials parsed(String text) {
    return ((Result.Parsed) DigestCredentials.parse(text)).credentials();
  }

  private static String text(Random random) {
    var text = new StringBuilder();
    for (int length = random.nextInt(20); length >= 0; length--) {
      text.append(
          random.nextInt(5) == 0
              ? "\"\\,=; \u00e4".charAt(random.nextInt(7))
              : (char) ('a' + random.nextInt(26)));
    }
    return text.toString();
  }
}
