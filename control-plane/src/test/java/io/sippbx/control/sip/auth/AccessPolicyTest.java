package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.shared.net.IpAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("access policy (RFC 3261 22, RFC 7616, RFC 8760)")
class AccessPolicyTest {

  private static final Instant NOW = Instant.parse("2026-03-04T05:06:07Z");
  private static final byte[] SECRET = "cluster".getBytes(StandardCharsets.UTF_8);
  private static final IpAddress FAR = IpAddress.of("192.0.2.7");
  private static final Uri PBX = Uri.of("sip:pbx.example");
  private static final DigestClient.Login BOB = new DigestClient.Login("bob", "zanzibar");

  private final AccessPolicy policy =
      policy(
          AuthSettings.of("pbx.example"),
          User.withPassword("bob", "zanzibar"),
          User.withPassword("alice", "wonder"));

  private static AccessPolicy policy(AuthSettings settings, User... users) {
    return new AccessPolicy(
        settings,
        new ConfiguredUsers(settings.realm(), List.of(users)),
        SECRET,
        List.of("pbx.example", "192.0.2.1")::contains);
  }

  private static AccessRequest request(Method method, IpAddress source, String... credentials) {
    return new AccessRequest(method, PBX, source, List.of(credentials), "call-1");
  }

  private AccessDecision.Challenge challenge(Method method) {
    return (AccessDecision.Challenge) policy.decide(request(method, FAR), NOW);
  }

  /** Credentials for a fresh nonce, of the given algorithm. */
  private DigestCredentials credentials(DigestAlgorithm algorithm) {
    return credentials(algorithm, BOB);
  }

  private DigestCredentials credentials(DigestAlgorithm algorithm, DigestClient.Login login) {
    for (String value : challenge(Method.REGISTER).challenges()) {
      var challenge = ((DigestChallenge.Result.Parsed) DigestChallenge.parse(value)).challenge();
      if (challenge.algorithm().equals(algorithm.token())) {
        String text = DigestClient.authorize(challenge, login, Method.REGISTER, PBX, "0a4f113b", 1);
        return ((DigestCredentials.Result.Parsed) DigestCredentials.parse(text)).credentials();
      }
    }
    throw new AssertionError("no challenge for " + algorithm);
  }

  private AccessDecision decide(String credentials) {
    return policy.decide(request(Method.REGISTER, FAR, credentials), NOW);
  }

  private static ChallengeReason reason(AccessDecision decision) {
    return ((AccessDecision.Challenge) decision).reason();
  }

  @Nested
  class WithoutUsers {
    private final AccessPolicy open = policy(AuthSettings.of("pbx.example"));

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"})
    void letsLoopbackDoEverything(String source) {
      var decision = open.decide(request(Method.INVITE, IpAddress.of(source)), NOW);
      assertThat(decision).isEqualTo(AccessDecision.Accepted.UNASKED);
      assertThat(AccessDecision.Accepted.UNASKED.mayUse("anybody")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"192.0.2.7", "10.0.0.1", "2001:db8::1", "0.0.0.0"})
    void refusesOthersAndSaysWhatToConfigure(String source) {
      var refused =
          (AccessDecision.Refused) open.decide(request(Method.REGISTER, IpAddress.of(source)), NOW);
      assertThat(refused.status()).isEqualTo(403);
      assertThat(refused.advice().orElseThrow())
          .contains("no users are configured", "configure sip.users");
    }

    @Test
    void letsAckAndCancelPass() {
      assertThat(open.decide(request(Method.ACK, FAR), NOW))
          .isEqualTo(AccessDecision.Accepted.UNASKED);
    }
  }

  @Nested
  class Challenges {
    @Test
    void asksRegisterBy401StrongestFirst() {
      AccessDecision.Challenge challenge = challenge(Method.REGISTER);
      assertThat(challenge.status()).isEqualTo(401);
      assertThat(challenge.header()).isEqualTo(HeaderName.WWW_AUTHENTICATE);
      assertThat(challenge.reason()).isEqualTo(ChallengeReason.NO_CREDENTIALS);
      assertThat(challenge.challenges())
          .hasSize(2)
          .allSatisfy(
              value ->
                  assertThat(value)
                      .startsWith("Digest realm=\"pbx.example\", nonce=\"")
                      .contains("qop=\"auth\"")
                      .doesNotContain("stale"));
      assertThat(challenge.challenges().get(0)).contains("algorithm=SHA-256");
      assertThat(challenge.challenges().get(1)).contains("algorithm=MD5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"INVITE", "OPTIONS", "MESSAGE", "BYE", "FOO"})
    void asksOthersBy407(String method) {
      AccessDecision.Challenge challenge = challenge(new Method(method));
      assertThat(challenge.status()).isEqualTo(407);
      assertThat(challenge.header()).isEqualTo(HeaderName.PROXY_AUTHENTICATE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ACK", "CANCEL"})
    void neverAsksAckAndCancel(String method) {
      assertThat(policy.decide(request(new Method(method), FAR), NOW))
          .isEqualTo(AccessDecision.Accepted.UNASKED);
    }

    @Test
    void asksLoopbackToo() {
      assertThat(reason(policy.decide(request(Method.INVITE, IpAddress.of("::1")), NOW)))
          .isEqualTo(ChallengeReason.NO_CREDENTIALS);
    }

    @Test
    void offersOnlyWhatEveryUserCanAnswer() {
      var ha1 = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
      ha1.put(DigestAlgorithm.MD5, Digest.ha1(DigestAlgorithm.MD5, "eve", "pbx.example", "x"));
      AccessPolicy mixed =
          policy(
              AuthSettings.of("pbx.example"),
              User.withPassword("bob", "zanzibar"),
              User.withHa1("eve", ha1));
      var challenge = (AccessDecision.Challenge) mixed.decide(request(Method.REGISTER, FAR), NOW);
      assertThat(challenge.challenges()).singleElement().asString().contains("algorithm=MD5");
    }
  }

  @Nested
  class Credentials {
    @ParameterizedTest
    @EnumSource(
        value = DigestAlgorithm.class,
        names = {"SHA_256", "MD5"})
    void areAccepted(DigestAlgorithm algorithm) {
      var accepted = (AccessDecision.Accepted) decide(credentials(algorithm).toHeaderValue());
      assertThat(accepted.user().orElseThrow().name()).isEqualTo("bob");
      NonceUse use = accepted.nonce().orElseThrow();
      assertThat(use.count()).isEqualTo(1);
      assertThat(use.issuedAt()).isEqualTo(NOW);
      assertThat(use.expiresAt()).isEqualTo(NOW.plus(Duration.ofMinutes(5)));
      assertThat(accepted.mayUse("bob")).isTrue();
      assertThat(accepted.mayUse("alice")).isFalse();
    }

    @Test
    void areAcceptedInUpperCaseHexadecimals() {
      DigestCredentials good = credentials(DigestAlgorithm.MD5);
      String shouted =
          good.toHeaderValue()
              .replace(good.response(), good.response().toUpperCase(java.util.Locale.ROOT));
      assertThat(decide(shouted)).isInstanceOf(AccessDecision.Accepted.class);
    }

    @Test
    void areAcceptedOfAUserWhoseHashAloneIsKnown() {
      var ha1 = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
      for (DigestAlgorithm algorithm : DigestAlgorithm.values()) {
        ha1.put(algorithm, Digest.ha1(algorithm, "bob", "pbx.example", "zanzibar"));
      }
      AccessPolicy hashed = policy(AuthSettings.of("pbx.example"), User.withHa1("bob", ha1));
      assertThat(
              hashed.decide(
                  request(
                      Method.REGISTER, FAR, credentials(DigestAlgorithm.SHA_256).toHeaderValue()),
                  NOW))
          .isInstanceOf(AccessDecision.Accepted.class);
    }

    @Test
    void areAcceptedWithTheRealmInTheUserName() {
      var login = new DigestClient.Login("bob@PBX.example", "zanzibar");
      var accepted =
          (AccessDecision.Accepted)
              decide(credentials(DigestAlgorithm.SHA_256, login).toHeaderValue());
      assertThat(accepted.user().orElseThrow().name()).isEqualTo("bob");
      var other = new DigestClient.Login("bob@other.example", "zanzibar");
      assertThat(reason(decide(credentials(DigestAlgorithm.MD5, other).toHeaderValue())))
          .isEqualTo(ChallengeReason.UNKNOWN_USER);
    }

    @Test
    void areFoundAmongThoseOfOtherRealmsAndSchemes() {
      String ours = credentials(DigestAlgorithm.SHA_256).toHeaderValue();
      String theirs = ours.replace("realm=\"pbx.example\"", "realm=\"other.example\"");
      assertThat(policy.decide(request(Method.REGISTER, FAR, "Basic abc", theirs, ours), NOW))
          .isInstanceOf(AccessDecision.Accepted.class);
      assertThat(reason(policy.decide(request(Method.REGISTER, FAR, "Basic abc", theirs), NOW)))
          .isEqualTo(ChallengeReason.NO_CREDENTIALS);
    }

    @Test
    void areLookedAtUpToALimit() {
      String wrong =
          credentials(DigestAlgorithm.MD5, new DigestClient.Login("bob", "no")).toHeaderValue();
      var many = new ArrayList<String>();
      for (int i = 0; i < AccessPolicy.MAX_CREDENTIALS; i++) {
        many.add(wrong);
      }
      many.add(credentials(DigestAlgorithm.MD5).toHeaderValue());
      assertThat(
              reason(
                  policy.decide(request(Method.REGISTER, FAR, many.toArray(String[]::new)), NOW)))
          .isEqualTo(ChallengeReason.WRONG_PASSWORD);
    }

    @Test
    void areChallengedAgainWithTheWrongPassword() {
      var decision =
          decide(
              credentials(DigestAlgorithm.SHA_256, new DigestClient.Login("bob", "no"))
                  .toHeaderValue());
      assertThat(reason(decision)).isEqualTo(ChallengeReason.WRONG_PASSWORD);
      assertThat(((AccessDecision.Challenge) decision).challenges())
          .noneMatch(value -> value.contains("stale"));
    }

    @Test
    void tellNobodyWhetherTheUserExists() {
      var unknown =
          (AccessDecision.Challenge)
              decide(
                  credentials(DigestAlgorithm.MD5, new DigestClient.Login("mallory", "x"))
                      .toHeaderValue());
      var wrong =
          (AccessDecision.Challenge)
              decide(
                  credentials(DigestAlgorithm.MD5, new DigestClient.Login("bob", "x"))
                      .toHeaderValue());
      assertThat(unknown.reason()).isEqualTo(ChallengeReason.UNKNOWN_USER);
      assertThat(unknown.challenges()).isEqualTo(wrong.challenges());
      assertThat(unknown.status()).isEqualTo(wrong.status());
      // The stand-in for users that do not exist is nobody's account.
      assertThat(
              reason(
                  decide(
                      credentials(
                              DigestAlgorithm.MD5,
                              new DigestClient.Login("nobody", "a password that nobody has"))
                          .toHeaderValue())))
          .isEqualTo(ChallengeReason.UNKNOWN_USER);
    }

    @Test
    void ofAnAlgorithmThatTheUserHasNoHashForAreWrong() {
      // No algorithm suits both users, so both are offered.
      AccessPolicy mixed =
          policy(
              AuthSettings.of("pbx.example"),
              User.withHa1("bob", ha1(DigestAlgorithm.MD5)),
              User.withHa1("eve", ha1(DigestAlgorithm.SHA_256)));
      DigestCredentials stranger = credentials(DigestAlgorithm.SHA_256);
      // Somebody guesses what stands in for the hash that is not there.
      String guessed =
          Digest.response(
              DigestAlgorithm.SHA_256,
              "",
              stranger.nonce(),
              "00000001",
              "0a4f113b",
              "auth",
              Digest.ha2(DigestAlgorithm.SHA_256, "REGISTER", "sip:pbx.example"));
      String text = stranger.toHeaderValue().replace(stranger.response(), guessed);
      assertThat(reason(mixed.decide(request(Method.REGISTER, FAR, text), NOW)))
          .isEqualTo(ChallengeReason.WRONG_PASSWORD);
    }

    private static EnumMap<DigestAlgorithm, String> ha1(DigestAlgorithm algorithm) {
      var ha1 = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
      ha1.put(algorithm, Digest.ha1(algorithm, "bob", "pbx.example", "zanzibar"));
      return ha1;
    }

    @Test
    void withAnOldNonceAreStaleOnlyIfTheyAreRight() {
      Instant later = NOW.plus(Duration.ofMinutes(5));
      var right =
          (AccessDecision.Challenge)
              policy.decide(
                  request(Method.REGISTER, FAR, credentials(DigestAlgorithm.MD5).toHeaderValue()),
                  later);
      assertThat(right.reason()).isEqualTo(ChallengeReason.NONCE_EXPIRED);
      assertThat(right.challenges()).allMatch(value -> value.endsWith("stale=true"));
      var wrong =
          policy.decide(
              request(
                  Method.REGISTER,
                  FAR,
                  credentials(DigestAlgorithm.MD5, new DigestClient.Login("bob", "x"))
                      .toHeaderValue()),
              later);
      assertThat(reason(wrong)).isEqualTo(ChallengeReason.WRONG_PASSWORD);
    }

    @Test
    void withAForgedNonceAreChallengedPlainly() {
      DigestCredentials good = credentials(DigestAlgorithm.MD5);
      var decision =
          (AccessDecision.Challenge)
              decide(
                  good.toHeaderValue().replace(good.nonce(), "A".repeat(NonceMint.NONCE_LENGTH)));
      assertThat(decision.reason()).isEqualTo(ChallengeReason.NONCE_FORGED);
      assertThat(decision.challenges()).noneMatch(value -> value.contains("stale"));
    }

    @ParameterizedTest
    @CsvSource({
      "qop=auth,qop=auth-int",
      "algorithm=MD5,algorithm=MD5-sess",
      "algorithm=MD5,algorithm=SHA-512-256",
      "algorithm=MD5,'algorithm=MD5, userhash=true'",
      "algorithm=MD5,algorithm=ROT13",
    })
    void ofAFormThatWasNotOfferedAreChallengedAgain(String from, String to) {
      String text = credentials(DigestAlgorithm.MD5).toHeaderValue().replace(from, to);
      assertThat(reason(decide(text))).isEqualTo(ChallengeReason.UNSUPPORTED);
    }

    @Test
    void withoutQopAreChallengedAgain() {
      String text =
          credentials(DigestAlgorithm.MD5)
              .toHeaderValue()
              .replace(", qop=auth", "")
              .replace(", nc=00000001", "");
      assertThat(reason(decide(text))).isEqualTo(ChallengeReason.UNSUPPORTED);
    }

    @Test
    void thatAreMalformedAreRefused() {
      assertThat(decide("Digest username=\"bob"))
          .isEqualTo(
              new AccessDecision.Refused(
                  400, "Malformed Authorization: unterminated quoted string", Optional.empty()));
    }

    @Test
    void ofAnotherMethodAreWrong() {
      String text = credentials(DigestAlgorithm.MD5).toHeaderValue();
      assertThat(reason(policy.decide(request(Method.INVITE, FAR, text), NOW)))
          .isEqualTo(ChallengeReason.WRONG_PASSWORD);
    }

    @Test
    void ofAnotherUriAreRefused() {
      String text = credentials(DigestAlgorithm.MD5).toHeaderValue();
      var request =
          new AccessRequest(
              Method.REGISTER, Uri.of("sip:other.example"), FAR, List.of(text), "call-1");
      assertThat(policy.decide(request, NOW))
          .isEqualTo(
              new AccessDecision.Refused(
                  400, "Authorization is for another URI", Optional.empty()));
    }

    /** Whatever one changes in good credentials, they are good no longer. */
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void areWorthlessWithAnyPartChanged(long seed) {
      var random = new Random(seed);
      DigestCredentials good = credentials(DigestAlgorithm.SHA_256);
      String text = good.toHeaderValue();
      for (int i = 0; i < 300; i++) {
        List<String> parts =
            List.of(
                good.nonce(),
                good.response(),
                good.cnonce().orElseThrow(),
                good.nc().orElseThrow());
        String part = parts.get(random.nextInt(parts.size()));
        int at = random.nextInt(part.length());
        char c = "0123456789abcdef".charAt(random.nextInt(16));
        if (Character.toLowerCase(part.charAt(at)) == c) {
          continue;
        }
        String changed = text.replace(part, part.substring(0, at) + c + part.substring(at + 1));
        assertThat(decide(changed))
            .as("seed %d: %s", seed, changed)
            .isInstanceOf(AccessDecision.Challenge.class);
      }
    }
  }

  @Test
  void challengesUsedCredentialsAsStale() {
    var challenge = policy.challengeReused(request(Method.INVITE, FAR), NOW);
    assertThat(challenge.status()).isEqualTo(407);
    assertThat(challenge.reason()).isEqualTo(ChallengeReason.NONCE_REUSED);
    assertThat(challenge.challenges()).allMatch(value -> value.endsWith("stale=true"));
  }

  @ParameterizedTest
  @CsvSource({
    // The same resource, written in another way (19.1.4, and what the field gets wrong).
    "sip:pbx.example, sip:pbx.example, true",
    "sip:PBX.example, sip:pbx.example, true",
    "sips:pbx.example, sip:pbx.example, true",
    "sip:pbx.example:5060, sip:pbx.example, true",
    "sip:pbx.example, sip:pbx.example:5070, true",
    "sip:pbx.example;transport=tcp, sip:pbx.example, true",
    "sip:bob@pbx.example, sip:bob@pbx.example;user=phone, true",
    "sip:b%6fb@pbx.example, sip:bob@pbx.example, true",
    "sip:bob@[2001:db8:0::1], sip:bob@[2001:DB8::1], true",
    "tel:+1-201-555-0123, tel:+12015550123, true",
    // A server that is named without a user: sipp and some trunks hash that.
    "sip:pbx.example, sip:bob@pbx.example, true",
    "sip:192.0.2.1:5060, sip:bob@192.0.2.1:5060, true",
    "sip:far.example:5060, sip:bob@far.example, true",
    // Rewritten on its way from one of our names to another (22.4 item 6).
    "sip:bob@pbx.example, sip:bob@192.0.2.1:5070, true",
    "sip:pbx.example:5060, sip:pbx.example:5070, true",
    "sip:pbx.example, sip:bob@192.0.2.1, true",
    // Another resource.
    "sip:bob@pbx.example, sip:pbx.example, false",
    "sip:bob@pbx.example, sip:BOB@pbx.example, false",
    "sip:bob@pbx.example, sip:premium@pbx.example, false",
    "sip:bob@far.example:5060, sip:bob@far.example:5070, false",
    "sip:bob@192.0.2.2, sip:bob@192.0.2.1, false",
    "sip:bob@192.0.2.1, sip:bob@far.example, false",
    "sip:far.example, sip:bob@pbx.example, false",
    "tel:+12015550123, sip:+12015550123@pbx.example, false",
    "not a uri, sip:pbx.example, false",
  })
  @DisplayName("RFC 7616 3.4.6, RFC 3261 22.4")
  void knowsWhichDigestUrisAreForTheRequest(String inHeader, String inRequest, boolean same) {
    assertThat(policy.isFor(inHeader, Uri.of(inRequest))).isEqualTo(same);
  }
}
