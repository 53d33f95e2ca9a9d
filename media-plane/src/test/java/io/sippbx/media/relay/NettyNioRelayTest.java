package io.sippbx.media.relay;

import io.sippbx.media.relay.RelaySettings.LoopChoice;
import org.junit.jupiter.api.DisplayName;

@DisplayName("relay by netty-nio")
class NettyNioRelayTest extends RelayContract {

  @Override
  RelaySettings settings() {
    return RelaySettings.defaults().withLoop(LoopChoice.NETTY_NIO);
  }

  @Override
  String adapter() {
    return "netty-nio";
  }
}
