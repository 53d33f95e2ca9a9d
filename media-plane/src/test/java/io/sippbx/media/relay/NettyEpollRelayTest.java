package io.sippbx.media.relay;

import io.sippbx.media.relay.RelaySettings.LoopChoice;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@DisplayName("relay by netty-epoll")
@EnabledOnOs(OS.LINUX)
class NettyEpollRelayTest extends RelayContract {

  @Override
  RelaySettings settings() {
    return RelaySettings.defaults().withLoop(LoopChoice.NETTY);
  }

  @Override
  String adapter() {
    return "netty-epoll";
  }
}
