package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("digest arithmetic (RFC 2617, RFC 7616)")
class DigestTest {

  private static final String NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
  private static final String CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

  @Test
  @DisplayName("RFC 2617 3.5")
  void givesTheResponseOfRfc2617() {
    String ha1 = Digest.ha1(DigestAlgorithm.MD5, "Mufasa", "testrealm@host.com", "Circle Of Life");
    assertThat(ha1).isEqualTo("939e7578ed9e3c518a452acee763bce9");
    String ha2 = Digest.ha2(DigestAlgorithm.MD5, "GET", "/dir/index.html");
    assertThat(ha2).isEqualTo("39aff3a2bab6126f332b942af96d3366");
    assertThat(
            Digest.response(
                DigestAlgorithm.MD5,
                ha1,
                "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                "00000001",
                "0a4f113b",
                "auth",
                ha2))
        .isEqualTo("6629fae49393a05397450978507c4ef1");
  }

  @Test
  @DisplayName("RFC 7616 3.9.1, MD5")
  void givesTheMd5ResponseOfRfc7616() {
    assertThat(response7616(DigestAlgorithm.MD5)).isEqualTo("8ca523f5e9506fed4657c9700eebdbec");
  }

  @Test
  @DisplayName("RFC 7616 3.9.1, SHA-256")
  void givesTheSha256ResponseOfRfc7616() {
    assertThat(response7616(DigestAlgorithm.SHA_256))
        .isEqualTo("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
  }

  @Test
  @DisplayName("FIPS 180-4, SHA-512/256 of abc")
  void truncatesSha512AsTheStandardSays() {
    assertThat(DigestAlgorithm.SHA_512_256.hash("abc"))
        .isEqualTo("53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23");
  }

  @Test
  void comparesHashesWhateverTheirCase() {
    assertThat(Digest.sameHex("00abcdef", "00ABCdef")).isTrue();
    assertThat(Digest.sameHex("00abcdef", "00abcdee")).isFalse();
    assertThat(Digest.sameHex("00abcdef", "00abcde")).isFalse();
    assertThat(Digest.sameHex("00abcdef", "")).isFalse();
    // Only A to F are folded.
    assertThat(Digest.sameHex("0g", "0G")).isFalse();
  }

  private static String response7616(DigestAlgorithm algorithm) {
    return Digest.response(
        algorithm,
        Digest.ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life"),
        NONCE,
        "00000001",
        CNONCE,
        "auth",
        Digest.ha2(algorithm, "GET", "/dir/index.html"));
  }
}
