package io.sippbx.control.store.redis;

import io.sippbx.shared.config.Secret;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * How Redis is reached and how long is waited for it.
 *
 * @param username of an ACL user; empty: the default user
 * @param sentinelPassword of the sentinels themselves
 * @param database 0 in a Redis Cluster
 * @param commandTimeout after which a command's outcome is unknown
 * @param connectTimeout of one attempt to connect, handshake included
 * @param maxPending commands that wait for their answer at once; beyond it they are refused
 * @param breakerFailures failures in a row after which nothing is sent any more
 * @param breakerPause between two probes while nothing is sent
 * @param replication what a commit waits for before it counts
 */
public record RedisSettings(
    RedisAddress address,
    Optional<String> username,
    Optional<Secret<String>> password,
    Optional<Secret<String>> sentinelPassword,
    int database,
    Tls tls,
    Duration commandTimeout,
    Duration connectTimeout,
    int maxPending,
    int breakerFailures,
    Duration breakerPause,
    Replication replication) {

  /**
   * What a commit waits for once the primary has it, so that fewer are lost by a fail-over.
   *
   * @param replicas that shall have acknowledged it; 0: none is waited for
   * @param timeout after which it counts all the same, and is counted as not replicated
   */
  public record Replication(int replicas, Duration timeout) {

    /** Nothing is waited for. */
    public static final Replication NONE = new Replication(0, Duration.ofMillis(100));

    /** Checks. */
    public Replication {
      if (replicas < 0 || timeout.toMillis() < 1) {
        throw new IllegalArgumentException(
            "Expected 0 replicas or more and a time-out of 1 ms or more, but got "
                + replicas
                + " and "
                + timeout);
      }
    }
  }

  /**
   * What is asked of the server's certificate and shown of ours; of no account without TLS.
   *
   * @param caFile certificates (PEM) that are trusted; empty: those of the JDK
   * @param certificateFile ours (PEM), with {@code keyFile}
   * @param verifyHost whether the certificate must name the host
   */
  public record Tls(
      Optional<Path> caFile,
      Optional<Path> certificateFile,
      Optional<Path> keyFile,
      boolean verifyHost) {

    /** The JDK's authorities, no certificate of ours, the host verified. */
    public static final Tls DEFAULT =
        new Tls(Optional.empty(), Optional.empty(), Optional.empty(), true);

    /** Refuses half a certificate. */
    public Tls {
      if (certificateFile.isPresent() != keyFile.isPresent()) {
        throw new IllegalArgumentException(
            "Expected both a certificate and its key or neither, but got one");
      }
    }
  }

  /** Checks what cannot work. */
  public RedisSettings {
    if (database < 0 || (address instanceof RedisAddress.Cluster && database != 0)) {
      throw new IllegalArgumentException(
          "Expected a database of 0 (or more outside of a Redis Cluster), but got " + database);
    }
    if (username.isPresent() && password.isEmpty()) {
      throw new IllegalArgumentException("Expected a password for user " + username.get());
    }
    if (commandTimeout.toMillis() < 1 || connectTimeout.toMillis() < 1) {
      throw new IllegalArgumentException(
          "Expected time-outs of 1 ms or more, but got "
              + commandTimeout
              + " and "
              + connectTimeout);
    }
    if (replication.replicas() > 0 && replication.timeout().compareTo(commandTimeout) >= 0) {
      throw new IllegalArgumentException(
          "Expected to wait for replicas for less than the time-out of a command, "
              + commandTimeout
              + ", but got "
              + replication.timeout());
    }
    if (maxPending < 1 || breakerFailures < 1 || breakerPause.toMillis() < 1) {
      throw new IllegalArgumentException(
          "Expected limits of 1 or more, but got "
              + maxPending
              + " pending, "
              + breakerFailures
              + " failures, a pause of "
              + breakerPause);
    }
  }

  /** An address with the defaults for all the rest. */
  public static RedisSettings of(RedisAddress address) {
    return new RedisSettings(
        address,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        0,
        Tls.DEFAULT,
        Duration.ofMillis(500),
        Duration.ofSeconds(2),
        20_000,
        5,
        Duration.ofMillis(250),
        Replication.NONE);
  }

  /** These with a password of the default user. */
  public RedisSettings withPassword(String text) {
    return new RedisSettings(
        address,
        username,
        Optional.of(new Secret<>(text)),
        sentinelPassword,
        database,
        tls,
        commandTimeout,
        connectTimeout,
        maxPending,
        breakerFailures,
        breakerPause,
        replication);
  }

  /** These with replicas to wait for. */
  public RedisSettings with(Replication wanted) {
    return new RedisSettings(
        address,
        username,
        password,
        sentinelPassword,
        database,
        tls,
        commandTimeout,
        connectTimeout,
        maxPending,
        breakerFailures,
        breakerPause,
        wanted);
  }
}
