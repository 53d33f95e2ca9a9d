package io.sippbx.control.media;

import io.grpc.ManagedChannel;
import io.sippbx.control.loop.Loop;
import io.sippbx.shared.net.Endpoint;

/** Makes the channels to media nodes over the network. */
@FunctionalInterface
public interface MediaChannels {

  /** Of who has none but nodes in its own process. */
  MediaChannels IN_PROCESS_ONLY =
      (endpoint, loop) -> {
        throw new IllegalStateException(
            "Expected media nodes in this process only, but got " + endpoint);
      };

  /**
   * A channel that is to be used anew, not yet connected.
   *
   * @param loop on which all that it brings is told
   */
  ManagedChannel to(Endpoint endpoint, Loop loop);
}
