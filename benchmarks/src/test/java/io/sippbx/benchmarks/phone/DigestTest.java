package io.sippbx.benchmarks.phone;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.benchmarks.phone.SipText.Field;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("RFC 7616 3.9.1")
class DigestTest {

  private static Optional<Field> answer(String algorithm) {
    SipText challenge =
        SipText.of(
            "SIP/2.0 401 Unauthorized",
            List.of(
                new Field(
                    "WWW-Authenticate",
                    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm="
                        + algorithm
                        + ", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\","
                        + " opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"")));
    return Digest.answer(
        challenge,
        "GET",
        "/dir/index.html",
        "Mufasa",
        "Circle of Life",
        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
  }

  @Test
  void answersWithSha256() {
    assertThat(answer("SHA-256").orElseThrow().value())
        .contains("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
  }

  @Test
  void answersWithMd5() {
    assertThat(answer("MD5").orElseThrow().value()).contains("8ca523f5e9506fed4657c9700eebdbec");
  }

  @Test
  void doesNotAnswerWhatItDoesNotKnow() {
    assertThat(answer("SHA-512-256")).isEmpty();
  }
}
