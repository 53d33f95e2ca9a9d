package io.sippbx.app;

import io.sippbx.control.store.redis.RedisAddress;
import io.sippbx.control.store.redis.RedisSettings;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.RedisConfig;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.config.StandaloneConfig;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where a control node is to keep its state, as the configuration has it. */
sealed interface StatePlan {

  /**
   * In the memory of the process.
   *
   * @param warning why that is not what an operator wants, if it was not asked for
   */
  record Memory(Optional<String> warning) implements StatePlan {}

  /** In a Redis of the process' own, whose data is in a folder. */
  record Own(Path dataDir) implements StatePlan {}

  /** In a Redis that others may use too. */
  record Elsewhere(RedisSettings settings) implements StatePlan {}

  /**
   * What is to be done.
   *
   * @param standalone whether the process is one that has a data folder
   * @throws NodeStartException naming the key that is wrong
   */
  static StatePlan of(Configuration config, boolean standalone) throws NodeStartException {
    RedisConfig redis = config.redis();
    if (redis.mode() == RedisConfig.Mode.MEMORY) {
      return new Memory(Optional.empty());
    }
    if (redis.uri().isPresent()) {
      return new Elsewhere(settings(redis, redis.uri().get()));
    }
    return standalone
        ? own(config.standalone())
        : new Memory(
            Optional.of("redis.uri is not set: this node is alone, whatever others there are"));
  }

  private static StatePlan own(StandaloneConfig standalone) throws NodeStartException {
    Path folder = standalone.dataDir();
    try {
      Files.createDirectories(folder);
      if (!Files.isWritable(folder)) {
        throw new AccessDeniedException(folder.toString());
      }
      return new Own(folder);
    } catch (IOException e) {
      if (standalone.dataDirIsDefault()) {
        return new Memory(
            Optional.of(
                "standalone.data_dir is not set and its default "
                    + folder
                    + " cannot be written ("
                    + e
                    + ")"));
      }
      throw new NodeStartException(
          "standalone.data_dir = " + folder + ": expected a folder that can be written, but " + e,
          e);
    }
  }

  private static RedisSettings settings(RedisConfig redis, Secret<String> uri)
      throws NodeStartException {
    RedisAddress address =
        switch (RedisAddress.parse(uri.value())) {
          case RedisAddress.Valid valid -> valid.address();
          // The text may hold a password.
          case RedisAddress.Invalid invalid ->
              throw new NodeStartException(
                  "redis.uri = " + uri + ": expected " + invalid.expected());
        };
    if (address instanceof RedisAddress.Cluster && redis.login().database() != 0) {
      throw new NodeStartException(
          "redis.database = "
              + redis.login().database()
              + ": expected 0, the only one that a Redis Cluster has");
    }
    RedisConfig.Tls tls = redis.tls();
    readable("redis.tls.ca_file", tls.caFile());
    readable("redis.tls.cert_file", tls.certFile());
    readable("redis.tls.key_file", tls.keyFile());
    return new RedisSettings(
        address,
        redis.login().username(),
        redis.login().password(),
        redis.login().sentinelPassword(),
        redis.login().database(),
        new RedisSettings.Tls(tls.caFile(), tls.certFile(), tls.keyFile(), tls.verifyHost()),
        redis.limits().commandTimeout(),
        redis.limits().connectTimeout(),
        redis.limits().maxPending(),
        redis.limits().breakerFailures(),
        redis.limits().breakerPause(),
        new RedisSettings.Replication(
            redis.replication().replicas(), redis.replication().timeout()));
  }

  /** Whether other nodes may use it too. */
  default boolean isShared() {
    return this instanceof Elsewhere;
  }

  /** The settings with the configured limits. */
  static RedisSettings limited(RedisSettings settings, RedisConfig.Limits limits) {
    return new RedisSettings(
        settings.address(),
        settings.username(),
        settings.password(),
        settings.sentinelPassword(),
        settings.database(),
        settings.tls(),
        limits.commandTimeout(),
        limits.connectTimeout(),
        limits.maxPending(),
        limits.breakerFailures(),
        limits.breakerPause(),
        settings.replication());
  }

  private static void readable(String key, Optional<Path> file) throws NodeStartException {
    if (file.isPresent() && !Files.isReadable(file.get())) {
      throw new NodeStartException(
          key + " = " + file.get() + ": expected a file that this process can read");
    }
  }
}
