package io.sippbx.control.media;

import io.sippbx.shared.net.IpAddress;
import java.util.List;
import java.util.function.Consumer;

/** Finds the addresses of a host. */
@FunctionalInterface
public interface HostResolver {

  /**
   * Returns at once; {@code answer} is given exactly once, on any thread: the addresses, or none if
   * there are none or they could not be had.
   */
  void resolve(String host, Consumer<List<IpAddress>> answer);
}
