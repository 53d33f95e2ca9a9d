package io.sippbx.control.media;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeSeen.Standing;
import io.sippbx.control.media.MediaNodeView.Health;
import io.sippbx.control.media.MediaWitness.Testimony;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
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

  /** From the end of the time for one answer to the next question. */
  private static final Duration QUESTION_PAUSE = Duration.ofMillis(50);

  private final GrpcMediaPlaneSettings settings;
  private final Placement placement;
  private final TreeMap<NodeId, MediaNodeView> nodes = new TreeMap<>();
  private final Loop loop;
  private MediaWitness witness = MediaWitness.NONE;
  private boolean alarmed;
  private long blindUntilNs;

  MediaNodes(GrpcMediaPlaneSettings settings, Placement placement, Loop loop) {
    this.settings = settings;
    this.placement = placement;
    this.loop = loop;
    this.blindUntilNs = loop.nowNs();
  }

  /** Who is asked of nodes that are not heard, from now on. */
  void witnessedBy(MediaWitness now) {
    witness = now;
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
    node.testimony = null;
    if (node.health != Health.HEALTHY) {
      log.atInfo().addKeyValue("node", node.id).log("media.node.healthy");
      node.health = Health.HEALTHY;
      node.lossLogged = false;
    }
    placement.reported(node.id, status);
  }

  /** This process could not listen, or begins to: nobody is said to be gone for a time. */
  void excuseAll(long nowNs) {
    blindUntilNs = nowNs + settings.blindAfterGap().toNanos();
    for (MediaNodeView node : nodes.values()) {
      node.heardNs = nowNs;
      node.testimony = null;
    }
  }

  /** Judges a node by how long it has been silent. */
  void watch(MediaNodeView node, long nowNs) {
    long silentNs = nowNs - node.heardNs;
    if (node.health == Health.HEALTHY && silentNs >= settings.suspectedAfter().toNanos()) {
      suspect(node);
    }
    if (node.health == Health.SUSPECTED && silentNs >= settings.lostAfter().toNanos()) {
      node.health = Health.LOST;
      log.atWarn().addKeyValue("node", node.id).log("media.node.silent");
    }
    boolean isDue = node.testimony == null || node.testimony == Testimony.HEARD;
    if (node.health != Health.HEALTHY
        && node.incarnation != null
        && isDue
        && nowNs - node.nextQuestionNs >= 0) {
      // The other may not have noticed yet: it is asked again in time.
      node.nextQuestionNs = nowNs + settings.witnessTime().plus(QUESTION_PAUSE).toNanos();
      int question = ++node.questions;
      witness.ask(node.id, told -> loop.execute(() -> testified(node, question, told)));
    }
  }

  private static void testified(MediaNodeView node, int question, Testimony told) {
    if (question == node.questions && node.health != Health.HEALTHY) {
      node.testimony = told;
    }
  }

  /** It is given no new calls until it is heard again. */
  void suspect(MediaNodeView node) {
    if (node.health == Health.HEALTHY) {
      node.health = Health.SUSPECTED;
      node.nextQuestionNs = loop.nowNs();
      log.atInfo().addKeyValue("node", node.id).log("media.node.suspected");
    }
    placement.withdrawn(node.id);
  }

  /** How each node seems, after all were watched. */
  List<MediaNodeSeen> seen(long nowNs) {
    judgeMost(nowNs);
    var seen = new ArrayList<MediaNodeSeen>(nodes.size());
    for (MediaNodeView node : List.copyOf(nodes.values())) {
      Standing standing = standing(node, nowNs);
      if (standing == Standing.LOST && !node.lossLogged) {
        node.lossLogged = true;
        log.atWarn()
            .addKeyValue("node", node.id)
            .addKeyValue("sessions", node.status.getSessions())
            .addKeyValue("testimony", String.valueOf(node.testimony))
            .log("media.node.lost");
      }
      if (node.incarnation != null) {
        seen.add(
            new MediaNodeSeen(
                node.id,
                standing,
                node.incarnation,
                node.status.getSessions(),
                node.status.getPairsV4().getInUse() + node.status.getPairsV6().getInUse()));
      }
      if (standing == Standing.LOST
          && nowNs - node.heardNs >= settings.forgetAfter().toNanos()
          && node.known.isEmpty()
          && node.requests.isEmpty()
          && node.link == null) {
        nodes.remove(node.id);
      }
    }
    return seen;
  }

  private Standing standing(MediaNodeView node, long nowNs) {
    return switch (node.health) {
      case HEALTHY ->
          switch (node.status.getState()) {
            case NODE_STATE_RESTORING -> Standing.RESTORING;
            case NODE_STATE_DRAINING -> Standing.DRAINING;
            case NODE_STATE_RUNNING, NODE_STATE_UNSPECIFIED, UNRECOGNIZED -> Standing.RUNNING;
          };
      case SUSPECTED -> Standing.SUSPECTED;
      case LOST ->
          alarmed || nowNs - blindUntilNs < 0 || !isConfirmed(node, nowNs)
              ? Standing.SILENT
              : Standing.LOST;
    };
  }

  /**
   * A second control node that hears it is believed; one that does not answer is not waited for.
   */
  private boolean isConfirmed(MediaNodeView node, long nowNs) {
    return node.testimony == null
        ? nowNs - node.heardNs >= settings.lostAfter().plus(settings.witnessTime()).toNanos()
        : node.testimony != Testimony.HEARD;
  }

  /** When more than half of the nodes seem to be lost at once, it may be us who are cut off. */
  private void judgeMost(long nowNs) {
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
      blindUntilNs = nowNs + settings.blindAfterGap().toNanos();
    }
    alarmed = most;
  }
}
