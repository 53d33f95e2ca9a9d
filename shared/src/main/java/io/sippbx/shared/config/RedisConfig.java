package io.sippbx.shared.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Section {@code redis}: where the state of calls and registrations is kept.
 *
 * @param uri of a server elsewhere, not looked into yet; secret because people write passwords into
 *     such URIs
 */
public record RedisConfig(
    Mode mode,
    Optional<Secret<String>> uri,
    Login login,
    Limits limits,
    Replication replication,
    Tls tls) {

  /** Where the state is. */
  public enum Mode {
    /** In the server of {@code redis.uri}, else in what the role has by itself. */
    AUTO,
    /** In this process, with which it ends. */
    MEMORY
  }

  /**
   * Who we are there.
   *
   * @param username of an ACL user; empty: the default user
   * @param sentinelPassword of the sentinels themselves
   */
  public record Login(
      Optional<String> username,
      Optional<Secret<String>> password,
      Optional<Secret<String>> sentinelPassword,
      int database) {}

  /**
   * How long is waited for it, and for how much at once.
   *
   * @param startTimeout within which it must answer when this process starts
   * @param maxPending commands that wait for their answers
   * @param breakerFailures in a row after which nothing more is sent
   * @param breakerPause between two probes then
   * @param recentCalls whose last commit is remembered, in case that a fail-over loses it
   * @param maxOutboxEvents from which on no call begins
   */
  public record Limits(
      Duration commandTimeout,
      Duration connectTimeout,
      Duration startTimeout,
      int maxPending,
      int breakerFailures,
      Duration breakerPause,
      int recentCalls,
      int maxOutboxEvents) {}

  /**
   * What a commit waits for once the primary has it.
   *
   * @param replicas that shall have it too; 0: none
   * @param timeout after which it counts all the same
   */
  public record Replication(int replicas, Duration timeout) {}

  /**
   * For {@code rediss} URIs.
   *
   * @param caFile certificates that are trusted; empty: those of the JDK
   * @param certFile ours, with {@code keyFile}; empty: none is shown
   */
  public record Tls(
      Optional<Path> caFile, Optional<Path> certFile, Optional<Path> keyFile, boolean verifyHost) {}
}
