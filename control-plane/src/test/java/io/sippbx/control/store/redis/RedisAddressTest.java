package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.store.redis.RedisAddress.Cluster;
import io.sippbx.control.store.redis.RedisAddress.Host;
import io.sippbx.control.store.redis.RedisAddress.Invalid;
import io.sippbx.control.store.redis.RedisAddress.Sentinel;
import io.sippbx.control.store.redis.RedisAddress.Single;
import io.sippbx.control.store.redis.RedisAddress.Valid;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedisAddressTest {

  private static RedisAddress parse(String uri) {
    return RedisAddress.parse(uri) instanceof Valid(RedisAddress address)
        ? address
        : org.assertj.core.api.Assertions.fail("no address: " + uri);
  }

  @Test
  void readsOneServer() {
    assertThat(parse("redis://h")).isEqualTo(new Single(new Host("h", 6379), false));
    assertThat(parse("rediss://h.example:7000"))
        .isEqualTo(new Single(new Host("h.example", 7000), true));
    assertThat(parse("REDIS://192.0.2.1:1")).isEqualTo(new Single(new Host("192.0.2.1", 1), false));
    assertThat(parse("redis://[2001:db8::1]:6380"))
        .isEqualTo(new Single(new Host("2001:db8::1", 6380), false));
    assertThat(new Host("2001:db8::1", 6380)).hasToString("[2001:db8::1]:6380");
  }

  @Test
  void readsSentinels() {
    assertThat(parse("redis-sentinel://a,b:1,[::1]#my-master"))
        .isEqualTo(
            new Sentinel(
                List.of(new Host("a", 26379), new Host("b", 1), new Host("::1", 26379)),
                "my-master",
                false));
    assertThat(parse("rediss-sentinel://a#m").tls()).isTrue();
  }

  @Test
  void readsACluster() {
    assertThat(parse("redis-cluster://a:7000,b"))
        .isEqualTo(new Cluster(List.of(new Host("a", 7000), new Host("b", 6379)), false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "localhost:6379 | redis://",
        "http://h | redis://",
        "redis://user:secret@h | redis.password",
        "redis://h/1 | redis.database",
        "redis://h?timeout=1 | redis.database",
        "redis://h:0 | port",
        "redis://h:65536 | port",
        "redis://a,b | one host",
        "redis-cluster://a,,b | hosts",
        "redis-sentinel://a | name",
        "redis://a#m | redis-sentinel"
      })
  void saysWhatIsExpectedInPlaceOfWhatIsWrong(String uri, String expected) {
    assertThat(RedisAddress.parse(uri))
        .isInstanceOfSatisfying(
            Invalid.class,
            invalid -> {
              assertThat(invalid.expected()).contains(expected);
              assertThat(invalid.expected()).doesNotContain("secret");
            });
  }

  @Test
  void refusesSettingsThatCannotWork() {
    var settings = RedisSettings.of(parse("redis-cluster://a"));
    assertThatThrownBy(
            () ->
                new RedisSettings(
                    settings.address(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    1,
                    settings.tls(),
                    settings.commandTimeout(),
                    settings.connectTimeout(),
                    1,
                    1,
                    settings.breakerPause(),
                    settings.replication()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("database");
    assertThat(settings.withPassword("pw").toString()).doesNotContain("pw");
  }
}
