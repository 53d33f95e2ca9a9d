package io.sippbx.control.media;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeView.Health;
import io.sippbx.control.media.MediaNodeView.Request;
import io.sippbx.proto.media.v1.Apply;
import io.sippbx.proto.media.v1.ApplyResult;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.Release;
import io.sippbx.proto.media.v1.ReleaseResult;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is asked of media nodes, and whose answer it is. Each request is answered exactly once: by
 * the node, or as unreachable; a release is kept until it is acknowledged. Confined to the loop.
 */
final class MediaRequests {

  private static final Logger log = LoggerFactory.getLogger(GrpcMediaPlane.class);

  private final GrpcMediaPlaneSettings settings;
  private final Loop loop;
  private final Placement placement;
  private final MediaCounters counters;
  private long lastRequestId;

  MediaRequests(
      GrpcMediaPlaneSettings settings, Loop loop, Placement placement, MediaCounters counters) {
    this.settings = settings;
    this.loop = loop;
    this.placement = placement;
    this.counters = counters;
  }

  /** Asks {@code node} to hold a session; it is null where no such node is known. */
  void apply(
      NodeId id, @Nullable MediaNodeView node, SessionSpec spec, Consumer<MediaAnswer> answer) {
    if (node == null || node.health == Health.LOST) {
      counters.timeouts++;
      answer.accept(new MediaAnswer.Unreachable("Media node " + id + " is not connected"));
      return;
    }
    if (isOverloaded(node, answer)) {
      return;
    }
    if (!node.known.containsKey(spec.call())) {
      placement.applying(id, spec.call(), MediaNeed.of(spec.streams()), loop.nowNs());
    }
    long requestId = ++lastRequestId;
    request(
        node,
        requestId,
        new Request(
            ControlMessage.newBuilder()
                .setApply(
                    Apply.newBuilder().setRequestId(requestId).setSpec(MediaMessages.spec(spec)))
                .build(),
            spec.call(),
            false,
            loop.nowNs(),
            answer));
  }

  /** Asks {@code node} to end a session, until it says that it has. */
  void release(MediaNodeView node, CallKey call, long revision, Consumer<MediaAnswer> answer) {
    node.known.remove(call);
    if (isOverloaded(node, answer)) {
      return;
    }
    long requestId = ++lastRequestId;
    var request =
        new Request(
            ControlMessage.newBuilder()
                .setRelease(
                    Release.newBuilder()
                        .setRequestId(requestId)
                        .setCallKey(call.text())
                        .setRevision(revision))
                .build(),
            call,
            true,
            loop.nowNs(),
            answer);
    request(node, requestId, request);
    if (node.health == Health.LOST) {
      unreachable(node, requestId, request, "Media node " + node.id + " is not connected");
    }
  }

  private boolean isOverloaded(MediaNodeView node, Consumer<MediaAnswer> answer) {
    if (node.inFlight() < settings.maxInFlight()) {
      return false;
    }
    counters.overloads++;
    answer.accept(
        new MediaAnswer.Refused(
            MediaAnswer.Refusal.OVERLOADED,
            settings.maxInFlight() + " requests wait for media node " + node.id,
            0));
    return true;
  }

  private void request(MediaNodeView node, long requestId, Request request) {
    node.add(requestId, request);
    if (node.link != null) {
      node.link.send(request.message);
    }
  }

  /** Answers, if nobody did; a release stays until it is acknowledged, as long as there is room. */
  private void unreachable(MediaNodeView node, long requestId, Request request, String detail) {
    Consumer<MediaAnswer> answer = node.answerOf(request);
    if (answer == null) {
      return;
    }
    counters.timeouts++;
    if (!request.isRelease) {
      node.requests.remove(requestId);
      placement.answered(node.id, request.call, false);
    } else if (node.releasesKept() > settings.maxReleases()) {
      node.requests.remove(requestId);
      counters.releasesDropped++;
      log.atWarn()
          .addKeyValue("node", node.id)
          .addKeyValue("call", request.call)
          .log("media.release.dropped");
    }
    answer.accept(new MediaAnswer.Unreachable(detail));
  }

  /** The node has answered an Apply. */
  void applied(MediaNodeView node, MediaLink link, ApplyResult result) {
    Request request = node.requests.get(result.getRequestId());
    Consumer<MediaAnswer> waiting =
        request == null || request.isRelease ? null : node.answerOf(request);
    if (request == null || waiting == null) {
      return;
    }
    node.requests.remove(result.getRequestId());
    Optional<MediaAnswer> answer =
        switch (result.getResultCase()) {
          case SESSION -> MediaMessages.held(result.getSession());
          case ERROR -> MediaMessages.refused(result.getError());
          case RESULT_NOT_SET -> Optional.empty();
        };
    boolean held = answer.isPresent() && answer.get() instanceof MediaAnswer.Held;
    placement.answered(node.id, request.call, held);
    if (held) {
      long revision = result.getSession().getRevision();
      if (!node.remember(request.call, revision, link.opened(), settings.maxKnown())) {
        counters.sessionsNotKnown++;
      }
    } else if (answer.isPresent()
        && answer.get() instanceof MediaAnswer.Refused refused
        && refused.refusal() == MediaAnswer.Refusal.RELEASED) {
      node.known.remove(request.call);
    }
    waiting.accept(answer.orElseGet(() -> nonsense(node, "apply_result")));
  }

  /** The node has answered a Release. */
  void released(MediaNodeView node, ReleaseResult result) {
    Request request = node.requests.get(result.getRequestId());
    if (request == null || !request.isRelease) {
      return;
    }
    Consumer<MediaAnswer> waiting = node.answerOf(request);
    node.requests.remove(result.getRequestId());
    Optional<MediaAnswer> answer =
        switch (result.getResultCase()) {
          case SESSION -> MediaMessages.held(result.getSession());
          case ERROR -> MediaMessages.refused(result.getError());
          case RESULT_NOT_SET -> Optional.empty();
        };
    if (waiting != null) {
      waiting.accept(answer.orElseGet(() -> nonsense(node, "release_result")));
    }
  }

  private MediaAnswer nonsense(MediaNodeView node, String what) {
    counters.malformed++;
    return new MediaAnswer.Unreachable(
        "Media node " + node.id + " sent a " + what + " that makes no sense");
  }

  /** Answers what has waited too long, and gives up releases that nobody acknowledged. */
  void expire(MediaNodeView node, long nowNs) {
    long timeoutNs = settings.requestTimeout().toNanos();
    for (Map.Entry<Long, Request> entry : List.copyOf(node.requests.entrySet())) {
      Request request = entry.getValue();
      long ageNs = nowNs - request.sinceNs;
      if (request.answer != null && (node.health == Health.LOST || ageNs >= timeoutNs)) {
        unreachable(
            node,
            entry.getKey(),
            request,
            "Media node " + node.id + " did not answer in " + ageNs / 1_000_000 + " ms");
      } else if (request.answer == null && ageNs >= settings.releaseLife().toNanos()) {
        node.requests.remove(entry.getKey());
        counters.releasesDropped++;
      }
    }
  }

  /** Says all that is not acknowledged on a stream that has just been opened. */
  void sayAgain(MediaNodeView node, MediaLink link) {
    for (Request request : List.copyOf(node.requests.values())) {
      link.send(request.message);
    }
  }

  /** Answers everything as unreachable, and keeps nothing. */
  void giveUp(MediaNodeView node, String detail) {
    for (Map.Entry<Long, Request> entry : List.copyOf(node.requests.entrySet())) {
      unreachable(node, entry.getKey(), entry.getValue(), detail);
    }
    node.requests.clear();
  }
}
