package io.sippbx.control.media;

import io.sippbx.control.media.MediaNodeView.Health;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The media nodes that are known, and how each seems from here. When more than half of them seem to
 * be lost at once, it may be us who are cut off: none is judged. Confined to the loop.
 */
final class MediaNodes {

  private static final Logger log = LoggerFactory.getLogger(GrpcMediaPlane.class);

  private final GrpcMediaPlaneSettings settings;
  private final Placement placement;
  private final TreeMap<NodeId, MediaNodeView> nodes = new TreeMap<>();
  private boolean alarmed;

  MediaNodes(GrpcMediaPlaneSettings settings, Placement placement) {
    this.settings = settings;
    this.placement = placement;
  }

  @Nullable MediaNodeView get(NodeId id) {
    return nodes.get(id);
  }

  /** The node, known from now on if it was not; null if there are too many to know another. */
  @Nullable MediaNodeView getOrAdd(NodeId id, long nowNs) {
    MediaNodeView node = nodes.get(id);
    if (node == null && nodes.size() < settings.maxNodes()) {
      node = new MediaNodeView(id, nowNs);
      nodes.put(id, node);
    }
    return node;
  }

  /** A copy, in the order of their names. */
  List<MediaNodeView> all() {
    return List.copyOf(nodes.values());
  }

  /** A node has said how it is. */
  void heard(MediaNodeView node, NodeStatus status, long nowNs) {
    node.heardNs = nowNs;
    node.status = status;
    if (node.health != Health.HEALTHY) {
      log.atInfo().addKeyValue("node", node.id).log("media.node.healthy");
      node.health = Health.HEALTHY;
      node.abandoned = false;
    }
    placement.reported(node.id, status);
  }

  /** Judges a node by how long it has been silent. */
  void watch(MediaNodeView node, long nowNs) {
    long silentNs = nowNs - node.heardNs;
    if (node.health == Health.HEALTHY && silentNs >= settings.suspectedAfter().toNanos()) {
      suspect(node);
    }
    if (node.health == Health.SUSPECTED && silentNs >= settings.lostAfter().toNanos()) {
      node.health = Health.LOST;
      log.atWarn().addKeyValue("node", node.id).log("media.node.lost");
    }
  }

  /** It is given no new calls until it is heard again. */
  void suspect(MediaNodeView node) {
    if (node.health == Health.HEALTHY) {
      node.health = Health.SUSPECTED;
      log.atInfo().addKeyValue("node", node.id).log("media.node.suspected");
    }
    placement.withdrawn(node.id);
  }

  /** Tells the calls of nodes that are gone for long, unless it seems to be us who are cut off. */
  void abandonTheLost(MediaLevels levels, long nowNs) {
    int all = 0;
    int lost = 0;
    for (MediaNodeView node : nodes.values()) {
      all += node.incarnation == null ? 0 : 1;
      lost += node.incarnation != null && node.health == Health.LOST ? 1 : 0;
    }
    boolean most = 2 * lost > all;
    if (most && !alarmed) {
      log.atError().addKeyValue("lost", lost).addKeyValue("of", all).log("media.nodes.most_lost");
    }
    if (alarmed && !most) {
      // The others may need a moment longer to be reached again.
      nodes.values().forEach(node -> node.judgedFromNs = nowNs);
    }
    alarmed = most;
    for (MediaNodeView node : List.copyOf(nodes.values())) {
      if (node.health != Health.LOST
          || nowNs - node.heardNs < settings.abandonAfter().toNanos()
          || nowNs - node.judgedFromNs < settings.abandonAfter().toNanos()) {
        continue;
      }
      if (!most && !node.abandoned && node.incarnation != null) {
        node.abandoned = true;
        log.atWarn()
            .addKeyValue("node", node.id)
            .addKeyValue("sessions", node.known.size())
            .log("media.node.abandoned");
        levels.loseAll(node);
      }
      if (node.known.isEmpty() && node.requests.isEmpty() && node.link == null) {
        nodes.remove(node.id);
      }
    }
  }
}
