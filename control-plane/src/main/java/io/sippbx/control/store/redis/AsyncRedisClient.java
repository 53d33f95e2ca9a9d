package io.sippbx.control.store.redis;

import io.lettuce.core.RedisChannelWriter;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.StatefulRedisConnectionImpl;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.json.JsonParser;
import io.lettuce.core.protocol.PushHandler;
import io.lettuce.core.resource.ClientResources;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lettuce's client for who never waits for a command. Its connections have no commands that block:
 * those are a proxy of some thousand methods, which would be made anew at each start of a process.
 */
final class AsyncRedisClient extends RedisClient {

  /**
   * @param resources stay the caller's
   */
  AsyncRedisClient(ClientResources resources) {
    // None by default: each connection names its own.
    super(resources, new RedisURI());
  }

  @Override
  protected <K, V> StatefulRedisConnectionImpl<K, V> newStatefulRedisConnection(
      RedisChannelWriter writer, PushHandler pushes, RedisCodec<K, V> codec, Duration timeout) {
    return new AsyncConnection<>(writer, pushes, codec, timeout, getOptions().getJsonParser());
  }

  private static final class AsyncConnection<K, V> extends StatefulRedisConnectionImpl<K, V> {

    AsyncConnection(
        RedisChannelWriter writer,
        PushHandler pushes,
        RedisCodec<K, V> codec,
        Duration timeout,
        Supplier<JsonParser> json) {
      super(writer, pushes, codec, timeout, json);
    }

    /** None: who asked for them would block a loop. */
    @Override
    protected @Nullable RedisCommands<K, V> newRedisSyncCommandsImpl() {
      return null;
    }
  }
}
