package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.Uri;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the client's side of digest (RFC 3261 22.2, 22.3, RFC 8760 2.4)")
class DigestClientTest {

  private static final DigestClient.Login LOGIN = new DigestClient.Login("bob", "zanzibar");
  private static final Uri URI = Uri.of("sip:bob@biloxi.example");
  private static final String MD5 = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
  private static final String SHA256 =
      "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";

  @Test
  void choosesTheStrongestThatItKnows() {
    String unknown = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA3-512, qop=\"auth\"";
    String authIntOnly = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256, qop=\"auth-int\"";
    assertThat(
            DigestClient.choose(
                List.of("Negotiate", MD5, unknown, "Digest broken", authIntOnly, SHA256)))
        .map(DigestChallenge::algorithm)
        .contains("SHA-256");
    assertThat(DigestClient.choose(List.of(SHA256, MD5)).map(DigestChallenge::algorithm))
        .contains("SHA-256");
    assertThat(DigestClient.choose(List.of(unknown, authIntOnly))).isEmpty();
    assertThat(DigestClient.choose(List.of())).isEmpty();
  }

  @Test
  void takesTheFirstOfEquals() {
    assertThat(
            DigestClient.choose(List.of(MD5, MD5.replace("\"n\"", "\"m\"")))
                .map(DigestChallenge::nonce))
        .contains("n");
  }

  @Test
  void answersWithCountAndCnonce() {
    DigestCredentials credentials = answer(MD5, 0x1f);
    assertThat(credentials.username()).isEqualTo("bob");
    assertThat(credentials.uri()).isEqualTo("sip:bob@biloxi.example");
    assertThat(credentials.nc()).contains("0000001f");
    assertThat(credentials.cnonce()).contains("c");
    assertThat(credentials.qop()).contains("auth");
    String ha1 = Digest.ha1(DigestAlgorithm.MD5, "bob", "r", "zanzibar");
    assertThat(credentials.response())
        .isEqualTo(
            Digest.response(
                DigestAlgorithm.MD5,
                ha1,
                "n",
                "0000001f",
                "c",
                "auth",
                Digest.ha2(DigestAlgorithm.MD5, "REGISTER", "sip:bob@biloxi.example")));
  }

  @Test
  void answersASessionAlgorithm() {
    DigestCredentials credentials = answer(MD5.replace("MD5", "MD5-sess"), 1);
    assertThat(credentials.algorithm()).isEqualTo("MD5-sess");
    String ha1 =
        Digest.sessionHa1(
            DigestAlgorithm.MD5, Digest.ha1(DigestAlgorithm.MD5, "bob", "r", "zanzibar"), "n", "c");
    assertThat(credentials.response())
        .isEqualTo(
            Digest.response(
                DigestAlgorithm.MD5,
                ha1,
                "n",
                "00000001",
                "c",
                "auth",
                Digest.ha2(DigestAlgorithm.MD5, "REGISTER", "sip:bob@biloxi.example")));
  }

  @Test
  @DisplayName("RFC 2069: a server without qop and algorithm")
  void answersAServerWithoutQop() {
    DigestCredentials credentials = answer("Digest realm=\"r\", nonce=\"n\", opaque=\"o\"", 1);
    assertThat(credentials.qop()).isEmpty();
    assertThat(credentials.nc()).isEmpty();
    assertThat(credentials.cnonce()).isEmpty();
    assertThat(credentials.opaque()).isEqualTo(Optional.of("o"));
    assertThat(credentials.response())
        .isEqualTo(
            Digest.responseWithoutQop(
                DigestAlgorithm.MD5,
                Digest.ha1(DigestAlgorithm.MD5, "bob", "r", "zanzibar"),
                "n",
                Digest.ha2(DigestAlgorithm.MD5, "REGISTER", "sip:bob@biloxi.example")));
  }

  @Test
  void refusesWhatItCannotAnswer() {
    var challenge =
        new DigestChallenge("r", "n", "SHA3-512", List.of("auth"), Optional.empty(), false);
    assertThatThrownBy(() -> DigestClient.authorize(challenge, LOGIN, Method.REGISTER, URI, "c", 1))
        .isInstanceOf(IllegalArgumentException.class);
    DigestChallenge known = DigestClient.choose(List.of(MD5)).orElseThrow();
    for (long count : new long[] {0, -1, 0x1_0000_0000L}) {
      assertThatThrownBy(
              () -> DigestClient.authorize(known, LOGIN, Method.REGISTER, URI, "c", count))
          .hasMessageContaining("count");
    }
  }

  @Test
  void showsNoPassword() {
    assertThat(LOGIN.toString()).doesNotContain("zanzibar");
    assertThat(User.withPassword("bob", "zanzibar").toString()).doesNotContain("zanzibar");
  }

  private static DigestCredentials answer(String challenge, long count) {
    String text =
        DigestClient.authorize(
            DigestClient.choose(List.of(challenge)).orElseThrow(),
            LOGIN,
            Method.REGISTER,
            URI,
            "c",
            count);
    return ((DigestCredentials.Result.Parsed) DigestCredentials.parse(text)).credentials();
  }
}
