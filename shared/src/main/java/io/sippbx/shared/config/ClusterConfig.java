package io.sippbx.shared.config;

import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Section {@code cluster}.
 *
 * @param nodeId the host name where it is not configured
 * @param secret from which call keys, tags and nonces are derived, the same on every node; empty: a
 *     random one is made at start, which is right for a single node only
 * @param tls empty: control and media nodes speak with each other in the clear
 */
public record ClusterConfig(
    NodeId nodeId, Optional<Secret<String>> secret, Mesh mesh, Optional<Tls> tls) {

  /**
   * The way of control nodes to each other.
   *
   * @param listen port 0: any free port
   * @param advertised what other nodes are told; empty: the bound address, or for an unspecified
   *     one that of this host. Port 0: the bound port
   */
  public record Mesh(Endpoint listen, Optional<Endpoint> advertised) {}

  /**
   * What a node shows other nodes, and what it wants to see of them; each a file (PEM).
   *
   * @param caFile the certificates of the cluster's own authority
   * @param certFile this node's certificate
   * @param keyFile its private key (PKCS#8)
   */
  public record Tls(Path caFile, Path certFile, Path keyFile) {}
}
