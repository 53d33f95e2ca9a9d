package io.sippbx.app;

import io.sippbx.shared.config.Role;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code sip-pbx media-plane}: an RTP relay node. */
@Command(
    name = "media-plane",
    description = "An RTP relay node; told over gRPC what to relay (media.listen).",
    mixinStandardHelpOptions = true)
final class MediaPlaneCommand implements Callable<Integer> {

  @Mixin private ConfigOptions options = new ConfigOptions();

  /** What was asked for. */
  NodeStart start() {
    return options.start(Role.MEDIA_PLANE, Node.Planes.MEDIA, null);
  }

  @Override
  public Integer call() throws InterruptedException {
    return start().run();
  }
}
