package io.sippbx.control;

import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.registrar.RegistrarLimits;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.UserDirectory;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.shared.config.Secret;
import java.time.Duration;

/**
 * What a control node is built from, whatever carries its messages.
 *
 * @param clusterSecret the same on all nodes, at least 16 octets
 */
public record ControlNodeSettings(
    Secret<byte[]> clusterSecret,
    CallSettings calls,
    Access access,
    RegistrarSettings registrar,
    ClusterSettings cluster,
    Limits limits) {

  /** Who may use the node, and for which domains it speaks. */
  public record Access(AuthSettings auth, UserDirectory users, OwnDomains domains) {}

  /**
   * Limits of the node.
   *
   * @param calls at once
   * @param clusterCalls at once of all nodes that share their stores; 0: no limit
   * @param messagesWaiting for one loop
   * @param arrivals INVITEs of one loop that may wait to become calls
   * @param retryAfter what a 503 carries
   * @param mediaMovesPerSecond calls that all nodes together move to another media node
   */
  public record Limits(
      int calls,
      int clusterCalls,
      int messagesWaiting,
      int arrivals,
      Duration retryAfter,
      int mediaMovesPerSecond,
      CallLimits call,
      TransactionLimits transactions,
      RegistrarLimits registrar) {}
}
