package io.sippbx.app;

import io.sippbx.shared.config.Role;
import java.util.List;
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

  @Override
  public Integer call() throws InterruptedException {
    return Running.run(options.load(Role.MEDIA_PLANE, List.of()), Node.Planes.MEDIA);
  }
}
