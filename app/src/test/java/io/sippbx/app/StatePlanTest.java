package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.store.redis.RedisAddress;
import io.sippbx.control.store.redis.RedisSettings;
import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Role;
import io.sippbx.shared.config.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatePlanTest {

  @TempDir Path temp = Path.of("");

  private static Configuration config(Map<String, String> environment, String... keysAndValues) {
    var values = new ArrayList<Assignment>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      values.add(new Assignment(keysAndValues[i], keysAndValues[i + 1], "test"));
    }
    return switch (ConfigLoader.load(Role.STANDALONE, Optional.empty(), environment, values)) {
      case ConfigResult.Loaded loaded -> loaded.configuration();
      case ConfigResult.Refused refused -> throw new AssertionError(refused.report());
    };
  }

  private static Configuration config(String... keysAndValues) {
    return config(Map.of(), keysAndValues);
  }

  @Test
  void ofAStandaloneIsARedisOfItsOwn() throws Exception {
    Path data = temp.resolve("a").resolve("b");
    assertThat(StatePlan.of(config("standalone.data_dir", data.toString()), true))
        .isEqualTo(new StatePlan.Own(data));
    assertThat(data).isDirectory();
  }

  @Test
  void ofAControlNodeIsMemoryWithAWarning() throws Exception {
    assertThat(StatePlan.of(config(), false))
        .isInstanceOfSatisfying(
            StatePlan.Memory.class,
            memory -> assertThat(memory.warning()).get().asString().contains("redis.uri"));
  }

  @Test
  void isMemoryWithoutAWarningWhereItIsAskedFor() throws Exception {
    for (boolean standalone : List.of(true, false)) {
      assertThat(StatePlan.of(config("redis.mode", "memory"), standalone))
          .isEqualTo(new StatePlan.Memory(Optional.empty()));
    }
  }

  @Test
  void isTheRedisThatIsNamed() throws Exception {
    Path ca = Files.createFile(temp.resolve("ca.pem"));
    StatePlan plan =
        StatePlan.of(
            config(
                "redis.uri", "rediss://redis.example:6380",
                "redis.username", "edge",
                "redis.password", "hunter2",
                "redis.database", "3",
                "redis.command_timeout_ms", "400",
                "redis.connect_timeout_ms", "1500",
                "redis.max_pending", "500",
                "redis.breaker_failures", "7",
                "redis.breaker_pause_ms", "100",
                "redis.wait_replicas", "2",
                "redis.wait_timeout_ms", "50",
                "redis.tls.ca_file", ca.toString(),
                "redis.tls.verify_host", "false"),
            true);
    assertThat(plan)
        .isEqualTo(
            new StatePlan.Elsewhere(
                new RedisSettings(
                    new RedisAddress.Single(new RedisAddress.Host("redis.example", 6380), true),
                    Optional.of("edge"),
                    Optional.of(new Secret<>("hunter2")),
                    Optional.empty(),
                    3,
                    new RedisSettings.Tls(
                        Optional.of(ca), Optional.empty(), Optional.empty(), false),
                    Duration.ofMillis(400),
                    Duration.ofMillis(1500),
                    500,
                    7,
                    Duration.ofMillis(100),
                    new RedisSettings.Replication(2, Duration.ofMillis(50)))));
  }

  @Test
  void isNotWhatTheAddressDoesNotAllow() {
    assertThatThrownBy(
            () -> StatePlan.of(config("redis.uri", "redis://me:hunter2@redis.example"), true))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("redis.uri")
        .hasMessageContaining("redis.password")
        .hasMessageNotContaining("hunter2");
    assertThatThrownBy(
            () ->
                StatePlan.of(
                    config("redis.uri", "redis-cluster://a,b", "redis.database", "2"), false))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("redis.database = 2: expected 0");
    assertThatThrownBy(
            () ->
                StatePlan.of(
                    config("redis.uri", "rediss://a", "redis.tls.ca_file", "/nowhere/ca.pem"),
                    false))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("redis.tls.ca_file = /nowhere/ca.pem");
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void withoutAFolderIsMemoryOnlyWhereNobodyChoseTheFolder(boolean chosen) throws Exception {
    Path file = Files.createFile(temp.resolve("file"));
    Path data = file.resolve("sip-pbx");
    if (chosen) {
      assertThatThrownBy(() -> StatePlan.of(config("standalone.data_dir", data.toString()), true))
          .isInstanceOf(NodeStartException.class)
          .hasMessageContaining("standalone.data_dir = " + data);
    } else {
      assertThat(StatePlan.of(config(Map.of("XDG_STATE_HOME", file.toString())), true))
          .isInstanceOfSatisfying(
              StatePlan.Memory.class,
              memory -> assertThat(memory.warning()).get().asString().contains(data.toString()));
    }
  }
}
