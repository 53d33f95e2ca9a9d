package io.sippbx.control.sip.auth;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Uri;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Who may use the server. Pure; immutable; for any thread.
 *
 * <p>Without users, loopback may do everything and others nothing. With users everybody is asked:
 * REGISTER by 401 and WWW-Authenticate, every other request by 407 and Proxy-Authenticate, which is
 * what phones and trunks expect of what stands between them; credentials are taken from either
 * header field. ACK and CANCEL cannot be challenged (RFC 3261 22.1) and are taken as they are: they
 * act on what was accepted before or on nothing.
 *
 * <p>Whether the nonce count is new is not decided here, since it needs the record of the
 * registration: see {@link AccessDecision.Accepted#nonce} and {@link #challengeReused}.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-22">RFC 3261 22</a>
 */
public final class AccessPolicy {

  /** Credentials of our realm that are looked at; clients send one, forked requests a few. */
  static final int MAX_CREDENTIALS = 4;

  private static final String NO_USERS_ADVICE =
      "no users are configured, so only loopback may register and call:"
          + " configure sip.users (username, and password or ha1_...) to let others in";

  /** Hashed when there is no such user, so that the time of the answer does not tell. */
  private static final User NOBODY = User.withPassword("nobody", "a password that nobody has");

  private final AuthSettings settings;
  private final UserDirectory users;
  private final NonceMint nonces;
  private final Predicate<String> ownHosts;

  /**
   * @param clusterSecret signs the nonces; the same on every node; copied
   * @param ownHosts whether a host, as in a URI, is a name of this server
   */
  public AccessPolicy(
      AuthSettings settings,
      UserDirectory users,
      byte[] clusterSecret,
      Predicate<String> ownHosts) {
    this.settings = settings;
    this.users = users;
    this.ownHosts = ownHosts;
    this.nonces = new NonceMint(clusterSecret, settings.realm(), settings.nonceLifetime());
  }

  /** What is to become of the request. */
  public AccessDecision decide(AccessRequest request, Instant now) {
    if (request.method().equals(Method.ACK) || request.method().equals(Method.CANCEL)) {
      return AccessDecision.Accepted.UNASKED;
    }
    if (users.isEmpty()) {
      return request.source().isLoopback()
          ? AccessDecision.Accepted.UNASKED
          : new AccessDecision.Refused(403, "Forbidden", Optional.of(NO_USERS_ADVICE));
    }
    AccessDecision worst = null;
    int looked = 0;
    for (String value : request.credentials()) {
      switch (DigestCredentials.parse(value)) {
        case DigestCredentials.Result.Malformed(String reason) -> {
          return new AccessDecision.Refused(
              400, "Malformed Authorization: " + reason, Optional.empty());
        }
        case DigestCredentials.Result.OtherScheme other -> {}
        case DigestCredentials.Result.Parsed(DigestCredentials credentials) -> {
          if (credentials.realm().equals(settings.realm()) && looked++ < MAX_CREDENTIALS) {
            AccessDecision decision = judge(request, credentials, now);
            if (decision instanceof AccessDecision.Accepted) {
              return decision;
            }
            worst = worst == null ? decision : worst;
          }
        }
      }
    }
    return worst != null ? worst : challenge(request, ChallengeReason.NO_CREDENTIALS, now);
  }

  /** The answer to right credentials whose nonce count is not new: a fresh nonce and stale=true. */
  public AccessDecision.Challenge challengeReused(AccessRequest request, Instant now) {
    return challenge(request, ChallengeReason.NONCE_REUSED, now);
  }

  private AccessDecision judge(AccessRequest request, DigestCredentials credentials, Instant now) {
    Optional<DigestAlgorithm> offered =
        DigestAlgorithm.ofToken(credentials.algorithm()).filter(offered()::contains);
    if (offered.isEmpty()
        || credentials.userhash()
        || !credentials.qop().map("auth"::equalsIgnoreCase).orElse(false)) {
      return challenge(request, ChallengeReason.UNSUPPORTED, now);
    }
    // RFC 7616 3.4.6: a digest-uri that is not the Request-URI may be an attack; SHOULD be 400.
    if (!isFor(credentials.uri(), request.uri())) {
      return new AccessDecision.Refused(400, "Authorization is for another URI", Optional.empty());
    }
    NonceMint.Verdict nonce = nonces.check(credentials.nonce(), now);
    if (nonce instanceof NonceMint.Verdict.Forged) {
      return challenge(request, ChallengeReason.NONCE_FORGED, now);
    }
    Optional<User> user = find(credentials.username());
    boolean right = isRight(request, credentials, offered.get(), user.orElse(NOBODY));
    if (user.isEmpty()) {
      return challenge(request, ChallengeReason.UNKNOWN_USER, now);
    }
    if (!right) {
      return challenge(request, ChallengeReason.WRONG_PASSWORD, now);
    }
    return switch (nonce) {
      // stale=true only where the digest is right: else the client would not ask its user again.
      case NonceMint.Verdict.Expired() -> challenge(request, ChallengeReason.NONCE_EXPIRED, now);
      case NonceMint.Verdict.Forged() -> challenge(request, ChallengeReason.NONCE_FORGED, now);
      case NonceMint.Verdict.Fresh(long nonceId, Instant issuedAt, Instant expiresAt) ->
          credentials.nonceCount() == 0
              ? challenge(request, ChallengeReason.NONCE_REUSED, now)
              : new AccessDecision.Accepted(
                  user,
                  Optional.of(
                      new NonceUse(nonceId, issuedAt, expiresAt, credentials.nonceCount())));
    };
  }

  private boolean isRight(
      AccessRequest request, DigestCredentials credentials, DigestAlgorithm algorithm, User user) {
    String ha1 =
        user.ha1(algorithm, credentials.username(), settings.realm())
            // A hash that no password has.
            .orElse("");
    String expected =
        Digest.response(
            algorithm,
            ha1,
            credentials.nonce(),
            credentials.nc().orElseThrow(),
            credentials.cnonce().orElseThrow(),
            credentials.qop().orElseThrow(),
            Digest.ha2(algorithm, request.method().name(), credentials.uri()));
    return Digest.sameHex(expected, credentials.response()) && user.knows(algorithm);
  }

  /** The user of this name; {@code name@realm}, as some phones write it, is {@code name} too. */
  private Optional<User> find(String sentName) {
    Optional<User> user = users.find(sentName, settings.realm());
    int at = sentName.lastIndexOf('@');
    return user.isPresent()
            || at <= 0
            || !sentName.substring(at + 1).equalsIgnoreCase(settings.realm())
        ? user
        : users.find(sentName.substring(0, at), settings.realm());
  }

  /**
   * What is offered: what the settings allow and the directory can check, as the settings order.
   */
  private List<DigestAlgorithm> offered() {
    List<DigestAlgorithm> checkable = users.algorithms();
    var both = new ArrayList<>(settings.algorithms());
    both.retainAll(checkable);
    return both.isEmpty() ? settings.algorithms() : both;
  }

  private AccessDecision.Challenge challenge(
      AccessRequest request, ChallengeReason reason, Instant now) {
    boolean stale =
        reason == ChallengeReason.NONCE_EXPIRED || reason == ChallengeReason.NONCE_REUSED;
    String nonce = nonces.mint(now, request.particular());
    var values = new ArrayList<String>();
    for (DigestAlgorithm algorithm : offered()) {
      values.add(
          new DigestChallenge(
                  settings.realm(),
                  nonce,
                  algorithm.token(),
                  List.of("auth"),
                  Optional.empty(),
                  stale)
              .toHeaderValue());
    }
    return request.method().equals(Method.REGISTER)
        ? new AccessDecision.Challenge(401, HeaderName.WWW_AUTHENTICATE, values, reason)
        : new AccessDecision.Challenge(407, HeaderName.PROXY_AUTHENTICATE, values, reason);
  }

  /**
   * Whether credentials for this digest-uri may be used with the Request-URI: both mean the same
   * resource, whatever the way it is written (sip for sips, a port on one side only, parameters and
   * headers left out or added: the digest itself covers the text as it was hashed).
   *
   * <p>In SIP it "is not necessarily a failure if the two fields are not equivalent" (RFC 3261 22.4
   * item 6): a proxy may have exchanged one name of ours for another, and a client may hash the
   * server without the user. Another user is never meant: who takes a request away from its path
   * must not be able to call somebody else with it.
   */
  boolean isFor(String digestUri, Uri requestUri) {
    Uri uri = Uri.parse(digestUri).orElse(null);
    if (uri instanceof SipUri named && requestUri instanceof SipUri asked) {
      boolean sameUser = named.userText().isEmpty() || named.userText().equals(asked.userText());
      boolean ours = ownHosts.test(named.host()) && ownHosts.test(asked.host());
      return sameUser && (ours || isSameServer(named, asked));
    }
    return uri != null && uri.equivalent(requestUri);
  }

  private static boolean isSameServer(SipUri a, SipUri b) {
    boolean samePort = a.port().isEmpty() || b.port().isEmpty() || a.port().equals(b.port());
    boolean sameHost =
        a.hostIp().isPresent()
            ? a.hostIp().equals(b.hostIp())
            : a.host().equalsIgnoreCase(b.host());
    return samePort && sameHost;
  }
}
