package io.sippbx.shared.operations;

import io.grpc.BindableService;
import io.sippbx.shared.config.AdminConfig;
import java.util.List;
import java.util.Optional;

/**
 * What a process lets be administered.
 *
 * @param access who may
 * @param services that ask for it; as gRPC, and as JSON where their methods say a path
 */
public record AdminApi(AdminConfig access, List<BindableService> services) {

  /** Nothing but what is open to everybody. */
  public static final AdminApi NONE =
      new AdminApi(new AdminConfig(Optional.empty(), 50), List.of());

  /** Copies {@code services}. */
  public AdminApi {
    services = List.copyOf(services);
  }
}
