package io.sippbx.control.media;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeView.Health;
import io.sippbx.control.media.MediaNodeView.Restore;
import io.sippbx.proto.media.v1.NodeMessage;
import io.sippbx.proto.media.v1.NodeState;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What media nodes say on their streams: who they are, how they are, and what is for others to
 * hear. Confined to the loop.
 */
final class MediaInbound {

  private static final Logger log = LoggerFactory.getLogger(GrpcMediaPlane.class);
  private static final long OTHER_WAY_NS = Duration.ofSeconds(10).toNanos();

  private final Loop loop;
  private final MediaNodes nodes;
  private final MediaRequests requests;
  private final MediaLevels levels;
  private final MediaRestores restores;
  private final MediaCounters counters;

  MediaInbound(
      Loop loop,
      MediaNodes nodes,
      MediaRequests requests,
      MediaLevels levels,
      MediaRestores restores,
      MediaCounters counters) {
    this.loop = loop;
    this.nodes = nodes;
    this.requests = requests;
    this.levels = levels;
    this.restores = restores;
    this.counters = counters;
  }

  /** A node has said something. */
  void heard(MediaLink link, NodeMessage message) {
    MediaNodeView node = link.node;
    if (message.getMessageCase() == NodeMessage.MessageCase.STATUS) {
      status(link, message.getStatus());
    } else if (node == null) {
      counters.malformed++;
      link.end("expected a NodeStatus first");
    } else {
      node.heardNs = loop.nowNs();
      switch (message.getMessageCase()) {
        case APPLY_RESULT -> requests.applied(node, link, message.getApplyResult());
        case RELEASE_RESULT -> requests.released(node, message.getReleaseResult());
        case EVENT -> levels.event(node, message.getEvent());
        // What a newer node says and we do not know is no reason to leave it.
        case STATUS, MESSAGE_NOT_SET -> {}
      }
    }
  }

  /**
   * A stream has ended.
   *
   * @return whether a node cannot be heard any more
   */
  boolean ended(MediaLink link, String reason) {
    counters.disconnects++;
    log.atInfo()
        .addKeyValue("address", link.address())
        .addKeyValue("reason", reason)
        .log("media.disconnected");
    MediaNodeView node = link.node;
    link.node = null;
    if (node != null && node.link == link) {
      node.link = null;
      nodes.suspect(node);
      return true;
    }
    return false;
  }

  private void status(MediaLink link, NodeStatus status) {
    MediaNodeView node = link.node;
    if (node == null) {
      node = identified(link, status);
      if (node == null) {
        return;
      }
    }
    nodes.heard(node, status, loop.nowNs());
    if (status.getState() == NodeState.NODE_STATE_RESTORING) {
      restores.restoring(node, link);
    }
  }

  /** The first word on a stream: which node it is, and whether it is the one of before. */
  private @Nullable MediaNodeView identified(MediaLink link, NodeStatus status) {
    NodeId id;
    try {
      id = new NodeId(status.getNodeId());
    } catch (IllegalArgumentException notOne) {
      counters.malformed++;
      link.end("expected the name of a node");
      return null;
    }
    var incarnation = new Incarnation(status.getIncarnation());
    MediaNodeView node = nodes.getOrAdd(id, loop.nowNs());
    if (node == null) {
      counters.conflicts++;
      link.end("there are too many media nodes already");
      return null;
    }
    MediaLink other = node.link;
    if (other != null && other != link) {
      if (incarnation.equals(node.incarnation)) {
        link.proved();
        link.end("the node is connected on " + other.address());
        link.proved();
        link.retryIn(OTHER_WAY_NS);
        return null;
      }
      if (node.health == Health.HEALTHY) {
        counters.conflicts++;
        log.atError()
            .addKeyValue("node", id)
            .addKeyValue("address", link.address())
            .addKeyValue("other", other.address())
            .log("media.node.same_name");
        link.end("another node has the name " + id);
        return null;
      }
      other.end("the node has started anew on " + link.address());
    }
    counters.connects++;
    link.proved();
    link.node = node;
    node.link = link;
    log.atInfo()
        .addKeyValue("node", id)
        .addKeyValue("incarnation", incarnation)
        .addKeyValue("address", link.address())
        .log("media.connected");
    if (!incarnation.equals(node.incarnation)) {
      node.restore = Restore.DUE;
    }
    if (node.incarnation != null && !incarnation.equals(node.incarnation)) {
      startedAnew(node);
    } else {
      node.compareDue = !node.known.isEmpty();
      node.compareAtNs = loop.nowNs();
    }
    node.incarnation = incarnation;
    requests.sayAgain(node, link);
    return node;
  }

  /** All its sessions are gone, and with them what was asked about them. */
  private void startedAnew(MediaNodeView node) {
    log.atWarn()
        .addKeyValue("node", node.id)
        .addKeyValue("sessions", node.known.size())
        .log("media.node.started_anew");
    node.compareDue = false;
    requests.giveUp(node, "Media node " + node.id + " started anew");
    node.toldLost = List.copyOf(node.known.keySet());
    levels.loseAll(node);
  }
}
