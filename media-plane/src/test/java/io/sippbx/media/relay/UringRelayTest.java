package io.sippbx.media.relay;

import io.sippbx.media.relay.RelaySettings.LoopChoice;
import io.sippbx.media.relay.ffm.UringPacketLoop;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.condition.EnabledIf;

@DisplayName("relay by io_uring")
@EnabledIf("isHere")
class UringRelayTest extends RelayContract {

  static boolean isHere() {
    return UringPacketLoop.isSupported();
  }

  @Override
  RelaySettings settings() {
    return RelaySettings.defaults().withLoop(LoopChoice.URING);
  }

  @Override
  String adapter() {
    return "uring";
  }
}
