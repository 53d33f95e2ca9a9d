package io.sippbx.shared.config;

import io.sippbx.shared.identity.NodeId;
import java.util.Optional;

/**
 * Section {@code cluster}.
 *
 * @param nodeId the host name where it is not configured
 * @param secret from which call keys, tags and nonces are derived, the same on every node; empty: a
 *     random one is made at start, which is right for a single node only
 */
public record ClusterConfig(NodeId nodeId, Optional<Secret<String>> secret) {}
