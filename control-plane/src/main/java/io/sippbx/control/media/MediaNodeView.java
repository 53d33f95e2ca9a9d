package io.sippbx.control.media;

import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.NodeStatus;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What this process knows of a media node. Confined to the loop. */
final class MediaNodeView {

  /** How a node seems from here. */
  enum Health {
    /** Heard a moment ago. */
    HEALTHY,
    /** Silent for a moment, or its stream was reset. */
    SUSPECTED,
    /** Silent for long. */
    LOST
  }

  /** How far the restoring of a node that has just started is. */
  enum Restore {
    /** Nobody has been asked what can come back. */
    DUE,
    ASKED,
    /** Everything that can has come back. */
    DONE
  }

  /** A session that was applied from here. */
  static final class Known {
    long revision;

    /** Ends whose first packet was told: two bits for each of the first 32 streams. */
    long firstPackets;

    /** The opening of the stream on which it was acknowledged last. */
    int acknowledgedOn;
  }

  /** A request that is not acknowledged. */
  static final class Request {
    final ControlMessage message;
    final CallKey call;
    final boolean isRelease;
    final long sinceNs;

    /** Taken when the answer is given, which for a release may be before it is acknowledged. */
    @Nullable Consumer<MediaAnswer> answer;

    Request(
        ControlMessage message,
        CallKey call,
        boolean isRelease,
        long sinceNs,
        Consumer<MediaAnswer> answer) {
      this.message = message;
      this.call = call;
      this.isRelease = isRelease;
      this.sinceNs = sinceNs;
      this.answer = answer;
    }
  }

  final NodeId id;
  final LinkedHashMap<CallKey, Known> known = new LinkedHashMap<>();

  /** By request id, in the order in which they were made. */
  final LinkedHashMap<Long, Request> requests = new LinkedHashMap<>();

  Health health = Health.LOST;

  /** What it said last of itself; all zero before. */
  NodeStatus status = NodeStatus.getDefaultInstance();

  /** Null until the node has been heard for the first time. */
  @Nullable Incarnation incarnation;

  /** Of this incarnation. */
  Restore restore = Restore.DUE;

  /** Who has to say so too, once it is done. */
  List<NodeId> restoredBy = List.of();

  @Nullable MediaLink link;
  long heardNs;

  /** From when on its silence counts against it; later than {@code heardNs} after an alarm. */
  long judgedFromNs;

  /** Whether its sessions have still to be compared with what is known, and from when on. */
  boolean compareDue;

  long compareAtNs;

  /** Calls that were told that their sessions are lost, as it has started anew. */
  List<CallKey> toldLost = List.of();

  /** What another control node said of its silence; null: it has not answered. */
  MediaWitness.@Nullable Testimony testimony;

  /** When another was asked; counts up with each question, so that late answers are told apart. */
  int questions;

  long nextQuestionNs;

  /** Whether it was logged that it is gone. */
  boolean lossLogged;

  private int inFlight;

  MediaNodeView(NodeId id, long nowNs) {
    this.id = id;
    heardNs = nowNs;
    judgedFromNs = nowNs;
  }

  /**
   * Takes note of a session that the node has said to hold.
   *
   * @param openedOn the opening of the stream on which it said so
   * @return false if there are too many to remember another
   */
  boolean remember(CallKey call, long revision, int openedOn, int maxKnown) {
    Known session = known.get(call);
    if (session == null) {
      if (known.size() >= maxKnown) {
        return false;
      }
      session = new Known();
      known.put(call, session);
    }
    session.revision = Math.max(session.revision, revision);
    session.acknowledgedOn = openedOn;
    return true;
  }

  /** Takes note of a request. */
  void add(long requestId, Request request) {
    requests.put(requestId, request);
    inFlight++;
  }

  /** The one who waits for the answer, to be given it; null if that was done before. */
  @Nullable Consumer<MediaAnswer> answerOf(Request request) {
    Consumer<MediaAnswer> answer = request.answer;
    if (answer != null) {
      request.answer = null;
      inFlight--;
    }
    return answer;
  }

  /** Requests that somebody waits for. */
  int inFlight() {
    return inFlight;
  }

  /** Releases that nobody waits for any more. */
  int releasesKept() {
    return requests.size() - inFlight;
  }
}
