package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.MediaNodeSettings;
import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Role;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MediaSettingsTest {

  private static MediaNodeSettings settings(String key, String value) {
    var given = List.of(new Assignment(key, value, "test"));
    return switch (ConfigLoader.load(Role.MEDIA_PLANE, Optional.empty(), Map.of(), given)) {
      case ConfigResult.Loaded loaded ->
          MediaSettings.of(
              loaded.configuration(), new NodeId("m"), new MediaNodeSettings.Listen.InProcess("m"));
      case ConfigResult.Refused refused -> throw new AssertionError(refused.report());
    };
  }

  @Test
  void limitsSessionsAndTheirRelayAlike() {
    MediaNodeSettings settings = settings("media.max_sessions", "20000");
    assertThat(settings.sessions().maxSessions()).isEqualTo(20_000);
    assertThat(settings.relay().maxSessions()).isEqualTo(20_000);
  }
}
