package io.sippbx.media.relay;

import io.sippbx.media.relay.RelaySettings.LoopChoice;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@DisplayName("relay by ffm")
@EnabledOnOs(
    value = OS.LINUX,
    architectures = {"amd64", "aarch64"})
class FfmRelayTest extends RelayContract {

  @Override
  RelaySettings settings() {
    return RelaySettings.defaults().withLoop(LoopChoice.FFM);
  }

  @Override
  String adapter() {
    return "ffm";
  }
}
