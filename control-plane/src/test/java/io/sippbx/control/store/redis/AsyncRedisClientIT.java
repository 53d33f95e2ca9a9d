package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import io.sippbx.servers.Ports;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AsyncRedisClientIT {

  @Test
  void sendsCommandsAndHasNoneThatBlock() throws Exception {
    try (RedisServer server = RedisServer.process(Ports.free(), List.of())) {
      ClientResources resources = ClientResources.create();
      try (var client = new AsyncRedisClient(resources)) {
        RedisURI uri = RedisURI.create("127.0.0.1", server.port());
        try (StatefulRedisConnection<byte[], byte[]> connection =
            client.connectAsync(ByteArrayCodec.INSTANCE, uri).get(10, TimeUnit.SECONDS)) {
          assertThat(connection.async().ping().get(10, TimeUnit.SECONDS)).isEqualTo("PONG");
          assertThat(connection.sync()).as("a proxy of all commands").isNull();
        }
      } finally {
        resources.shutdown(0, 1, TimeUnit.SECONDS).get(5, TimeUnit.SECONDS);
      }
    }
  }
}
