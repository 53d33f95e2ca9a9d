package io.sippbx.shared.config;

import io.sippbx.shared.net.Endpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Section {@code sip}.
 *
 * @param listeners at least one; from {@code sip.listeners}, else made of {@code sip.listen_ip},
 *     {@code sip.listen_ipv6}, {@code sip.listen_port} and {@code sip.transport}
 * @param addressMode whether all nodes of the cluster have the addresses of the listeners
 * @param domains host names and addresses for which this server answers beside its own listeners;
 *     in lower case
 * @param trace where each SIP message is written, when asked for
 */
public record SipConfig(
    List<Listener> listeners,
    AddressMode addressMode,
    List<String> domains,
    Calls calls,
    Timers timers,
    Wire wire,
    Tcp tcp,
    Authentication authentication,
    Registrar registrar,
    Optional<Trace> trace) {

  /** Copies the lists. */
  public SipConfig {
    listeners = List.copyOf(listeners);
    domains = List.copyOf(domains);
  }

  /** Whose the addresses of SIP are. */
  public enum AddressMode {
    /** This node's own. */
    NODE,
    /** Those of all nodes of the cluster. */
    SHARED
  }

  /** The transports that can be configured. */
  public enum Transport {
    UDP,
    TCP
  }

  /**
   * A socket address on which SIP is spoken.
   *
   * @param bind port 0: any free port
   * @param advertised what goes into Via and Contact; empty: the bound address, or for an
   *     unspecified one that from which the peer is reached. Port 0: the bound port
   */
  public record Listener(Transport transport, Endpoint bind, Optional<Endpoint> advertised) {}

  /**
   * Limits of calls.
   *
   * @param maxConcurrent calls of this node; above it 503
   * @param maxCluster calls of all nodes that share a Redis; 0: no limit
   * @param noAnswerTimeout of ringing, after which the caller gets 408
   * @param maxDuration of an answered call, after which both legs get BYE
   * @param followRedirects whether a callee's 3xx is followed once, or passed to the caller
   * @param retryAfter what 503 carries
   */
  public record Calls(
      int maxConcurrent,
      int maxCluster,
      Duration noAnswerTimeout,
      Duration maxDuration,
      boolean followRedirects,
      Duration retryAfter) {}

  /**
   * Transaction timers.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17">RFC 3261 17, Table 4</a>
   */
  public record Timers(Duration t1, Duration t2, Duration t4) {}

  /**
   * Limits of messages and datagrams.
   *
   * @param maxMessageBytes a longer message is refused with 513 or dropped
   * @param mtuBytes of the path; a request within 200 bytes of it goes over TCP (RFC 3261 18.1.1)
   * @param udpReceiveBufferBytes asked of the kernel for each socket
   * @param udpSockets for each UDP listener, sharing its address; 0: one for each event loop
   * @param maxTransactions open at once on this node, above it 503
   */
  public record Wire(
      int maxMessageBytes,
      int mtuBytes,
      int udpReceiveBufferBytes,
      int udpSockets,
      int maxTransactions) {}

  /**
   * Limits of connections.
   *
   * @param maxConnections of this node in both directions
   * @param maxConnectionsPerIp from one peer address
   * @param idleTimeout without a byte, after which a connection is closed
   * @param messageTimeout from the first byte of a message to its last
   * @param connectTimeout of a connection that this node opens
   * @param sendBufferBytes queued for one slow peer before its connection is closed
   */
  public record Tcp(
      int maxConnections,
      int maxConnectionsPerIp,
      Duration idleTimeout,
      Duration messageTimeout,
      Duration connectTimeout,
      int sendBufferBytes) {}

  /**
   * Digest authentication.
   *
   * @param nonceAge how long a nonce is taken without {@code stale}
   * @param algorithms that are offered, in this order; each user can be checked with one of them
   * @param users empty: anything is accepted from loopback and nothing from elsewhere
   */
  public record Authentication(
      String realm, Duration nonceAge, List<DigestAlgorithm> algorithms, List<User> users) {
    /** Copies the lists. */
    public Authentication {
      algorithms = List.copyOf(algorithms);
      users = List.copyOf(users);
    }
  }

  /** A hash of digest authentication, named by the token of RFC 8760 with {@code _} for hyphens. */
  public enum DigestAlgorithm {
    SHA_512_256,
    SHA_256,
    MD5
  }

  /** A user who may register and call. The user name is also the address-of-record's user part. */
  public record User(String username, Credential credential) {}

  /** What is known of a user's password. */
  public sealed interface Credential {
    /** The password itself. */
    record Password(Secret<String> value) implements Credential {}

    /**
     * MD5 and/or SHA-256 of {@code username:realm:password}, at least one, in lower-case
     * hexadecimal. An algorithm whose hash is missing is not offered to the user.
     */
    record Hashes(Optional<Secret<String>> ha1Md5, Optional<Secret<String>> ha1Sha256)
        implements Credential {}

    /** Whether credentials of this algorithm can be checked. */
    default boolean knows(DigestAlgorithm algorithm) {
      return switch (this) {
        case Password password -> true;
        case Hashes(var md5, var sha256) ->
            switch (algorithm) {
              case MD5 -> md5.isPresent();
              case SHA_256 -> sha256.isPresent();
              case SHA_512_256 -> false;
            };
      };
    }
  }

  /**
   * Limits of registrations.
   *
   * @param minExpires shorter is refused with 423
   * @param defaultExpires for a contact that asks for none
   * @param maxExpires longer is shortened
   * @param maxBindings of one address-of-record
   * @param maxAddresses addresses-of-record with bindings
   * @param flowWait for which a request within a dialog waits for a phone that has lost its
   *     connection
   */
  public record Registrar(
      Duration minExpires,
      Duration defaultExpires,
      Duration maxExpires,
      int maxBindings,
      int maxAddresses,
      Duration flowWait) {}

  /**
   * A file of all SIP messages.
   *
   * @param maxBytes of a file before it is rotated
   * @param files kept, the current one among them
   */
  public record Trace(Path file, long maxBytes, int files) {}
}
