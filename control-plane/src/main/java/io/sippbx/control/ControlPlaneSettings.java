package io.sippbx.control;

import io.sippbx.control.sip.transport.TransportSettings;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.tls.NodeTls;
import java.util.Optional;

/**
 * What a control plane is built from: a node, and what carries its messages.
 *
 * @param mesh where other nodes reach it; empty: there are none, whatever the store shows
 */
public record ControlPlaneSettings(
    ControlNodeSettings node, TransportSettings transport, Optional<MeshAddress> mesh) {

  /**
   * Where the mesh listens.
   *
   * @param listen port 0: any free port
   * @param advertised what other nodes are told instead; with port 0: with the bound one
   * @param tls empty: in the clear
   */
  public record MeshAddress(
      Endpoint listen, Optional<Endpoint> advertised, Optional<NodeTls> tls) {}

  /** The same with other nodes beside it. */
  public ControlPlaneSettings withMesh(MeshAddress address) {
    return new ControlPlaneSettings(node, transport, Optional.of(address));
  }
}
