package io.sippbx.control.admin;

import io.grpc.BindableService;
import io.sippbx.control.call.Call;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaDirectory;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Optional;

/** The admin API of a control node. */
public final class AdminServices {

  private AdminServices() {}

  /**
   * What it is made of.
   *
   * @param loop of the node, on which answers of several loops are put together
   * @param registrations with answers on {@code loop}
   * @param ownMedia the media node of this process, if it has one
   */
  public record Ports(
      Loop loop,
      CallStore<Call> calls,
      PartitionStore partitions,
      RegistrationStore registrations,
      CallCommands commands,
      ControlNodes control,
      MediaDirectory media,
      Optional<NodeId> ownMedia) {}

  /** The services, for the operations server. */
  public static List<BindableService> of(Ports ports) {
    return List.of(
        new CallsService(ports.loop(), ports.calls(), ports.partitions(), ports.commands()),
        new RegistrationsService(ports.loop(), ports.registrations()),
        new NodesService(
            ports.loop(),
            ports.partitions(),
            ports.control(),
            ports.media(),
            ports.ownMedia(),
            new LedgerDrawing(ports.loop(), ports.calls(), ports.partitions(), ports.media())));
  }
}
