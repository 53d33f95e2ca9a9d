package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("WWW-Authenticate and Proxy-Authenticate (RFC 3261 20.27, 20.44)")
class DigestChallengeTest {

  @Test
  void readsTheExampleOfRfc3261() {
    assertThat(
            DigestChallenge.parse(
                "Digest realm=\"atlanta.com\", domain=\"sip:boxesbybob.com\", qop=\"auth, auth-int\","
                    + " nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=FALSE,"
                    + " algorithm=MD5"))
        .isEqualTo(
            new DigestChallenge.Result.Parsed(
                new DigestChallenge(
                    "atlanta.com",
                    "f84f1cec41e6cbe5aea9c8e88d359",
                    "MD5",
                    List.of("auth", "auth-int"),
                    Optional.of(""),
                    false)));
  }

  @Test
  void writesWhatItReads() {
    var challenge =
        new DigestChallenge(
            "a \"quoted\" realm", "n/=", "SHA-256", List.of("auth"), Optional.of("o"), true);
    assertThat(challenge.toHeaderValue())
        .isEqualTo(
            "Digest realm=\"a \\\"quoted\\\" realm\", nonce=\"n/=\", algorithm=SHA-256,"
                + " qop=\"auth\", opaque=\"o\", stale=true");
    assertThat(DigestChallenge.parse(challenge.toHeaderValue()))
        .isEqualTo(new DigestChallenge.Result.Parsed(challenge));
  }

  @Test
  void refusesAChallengeWithoutRealmOrNonce() {
    assertThat(DigestChallenge.parse("Digest realm=\"r\""))
        .isEqualTo(new DigestChallenge.Result.Malformed("no realm or no nonce"));
    assertThat(DigestChallenge.parse("NTLM abc"))
        .isEqualTo(new DigestChallenge.Result.OtherScheme("NTLM"));
  }

  @Test
  void neverWritesALineEnd() {
    var challenge =
        new DigestChallenge("r\r\nVia: x", "n", "MD5", List.of("auth"), Optional.empty(), false);
    assertThat(challenge.toHeaderValue()).doesNotContain("\r", "\n");
  }
}
