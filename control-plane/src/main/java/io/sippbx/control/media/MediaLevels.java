package io.sippbx.control.media;

import io.grpc.stub.StreamObserver;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeView.Known;
import io.sippbx.proto.media.v1.Claim;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.ListRequest;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.proto.media.v1.SessionEvent;
import io.sippbx.proto.media.v1.Stream;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What media nodes see by themselves, told to the calls. Events are levels: what was missed while a
 * stream was down is learned by comparing the node's list with what is known. Confined to the loop.
 */
final class MediaLevels {

  private static final Logger log = LoggerFactory.getLogger(GrpcMediaPlane.class);
  private static final long COMPARE_AGAIN_NS = Duration.ofSeconds(1).toNanos();
  private static final int CLAIMS = 1_000;
  private static final int FIRST_PACKET_STREAMS = 32;

  private final Loop loop;
  private final Consumer<MediaEvent> listener;
  private final MediaCounters counters;

  MediaLevels(Loop loop, Consumer<MediaEvent> listener, MediaCounters counters) {
    this.loop = loop;
    this.listener = listener;
    this.counters = counters;
  }

  /** A node has told something. */
  void event(MediaNodeView node, SessionEvent event) {
    Optional<CallKey> call = key(event.getCallKey());
    if (call.isEmpty()) {
      counters.malformed++;
      return;
    }
    Known known = node.known.get(call.get());
    switch (event.getKind()) {
      case SESSION_EVENT_KIND_FIRST_PACKET ->
          firstPacket(call.get(), known, event.getStreamIndex(), event.getFromA());
      case SESSION_EVENT_KIND_MEDIA_TIMEOUT ->
          tell(new MediaEvent.MediaTimeout(call.get(), event.getRevision()));
      case SESSION_EVENT_KIND_EXPIRED -> {
        node.known.remove(call.get());
        tell(new MediaEvent.Expired(call.get(), node.id, event.getRevision()));
      }
      case SESSION_EVENT_KIND_UNSPECIFIED, UNRECOGNIZED -> {
        // Of a newer node.
      }
    }
  }

  private void firstPacket(CallKey call, @Nullable Known known, int index, boolean fromA) {
    if (known != null && index >= 0 && index < FIRST_PACKET_STREAMS) {
      known.firstPackets |= 1L << (2 * index + (fromA ? 0 : 1));
    }
    tell(new MediaEvent.FirstPacket(call, index, fromA));
  }

  private static Optional<CallKey> key(String text) {
    return text.length() == CallKey.LENGTH ? CallKey.prefixOf(text) : Optional.empty();
  }

  private void tell(MediaEvent event) {
    listener.accept(event);
  }

  /** Compares what is known with what the node has, if that is due. */
  void compareIfDue(MediaNodeView node, long nowNs) {
    MediaLink link = node.link;
    if (node.compareDue && link != null && nowNs - node.compareAtNs >= 0) {
      node.compareDue = false;
      new Comparison(node, link).ask("");
    }
  }

  /** One comparison: the sessions that were known before the stream was opened. */
  private final class Comparison implements StreamObserver<ListResponse> {
    final MediaNodeView node;
    final MediaLink link;
    final int opened;
    final TreeSet<String> present = new TreeSet<>();
    @Nullable ListResponse page;

    Comparison(MediaNodeView node, MediaLink link) {
      this.node = node;
      this.link = link;
      opened = link.opened();
    }

    private boolean isCurrent() {
      return node.link == link && link.opened() == opened && link.isOpen();
    }

    void ask(String after) {
      page = null;
      link.list(ListRequest.newBuilder().setAfterCallKey(after).build(), this);
    }

    @Override
    public void onNext(ListResponse response) {
      page = response;
    }

    @Override
    public void onError(Throwable error) {
      if (isCurrent()) {
        log.atWarn()
            .addKeyValue("node", node.id)
            .addKeyValue("error", error.getMessage())
            .log("media.list.failed");
        node.compareDue = true;
        node.compareAtNs = loop.nowNs() + COMPARE_AGAIN_NS;
      }
    }

    @Override
    public void onCompleted() {
      ListResponse response = page;
      if (!isCurrent() || response == null) {
        return;
      }
      for (Session session : response.getSessionsList()) {
        present.add(session.getCallKey());
        key(session.getCallKey()).ifPresent(call -> seen(call, session));
      }
      String next = response.getNextAfterCallKey();
      if (next.isEmpty()) {
        judge();
      } else if (!present.isEmpty() && next.compareTo(present.last()) >= 0) {
        ask(next);
      } else {
        // A node whose pages do not go forward would be asked for ever.
        counters.malformed++;
      }
    }

    private void seen(CallKey call, Session session) {
      Known known = node.known.get(call);
      if (known == null) {
        return;
      }
      if (session.getMediaTimedOut()) {
        tell(new MediaEvent.MediaTimeout(call, session.getRevision()));
      }
      for (Stream stream : session.getStreamsList()) {
        int index = stream.getIndex();
        if (index < 0 || index >= FIRST_PACKET_STREAMS) {
          continue;
        }
        for (boolean fromA : new boolean[] {true, false}) {
          var end = fromA ? stream.getA() : stream.getB();
          long bit = 1L << (2 * index + (fromA ? 0 : 1));
          if (end.getReceived().getPackets() > 0 && (known.firstPackets & bit) == 0) {
            firstPacket(call, known, index, fromA);
          }
        }
      }
    }

    private void judge() {
      var claims = new ArrayList<String>();
      for (Map.Entry<CallKey, Known> entry : List.copyOf(node.known.entrySet())) {
        CallKey call = entry.getKey();
        if (present.contains(call.text())) {
          claims.add(call.text());
        } else if (entry.getValue().acknowledgedOn != opened) {
          lose(node, call);
        }
      }
      for (int from = 0; from < claims.size(); from += CLAIMS) {
        link.send(
            ControlMessage.newBuilder()
                .setClaim(
                    Claim.newBuilder()
                        .addAllCallKeys(
                            claims.subList(from, Math.min(claims.size(), from + CLAIMS))))
                .build());
      }
    }
  }

  private void lose(MediaNodeView node, CallKey call) {
    node.known.remove(call);
    counters.sessionsLost++;
    tell(new MediaEvent.SessionLost(call, node.id));
  }

  /** Everything that was on the node is gone. */
  void loseAll(MediaNodeView node) {
    for (CallKey call : List.copyOf(node.known.keySet())) {
      lose(node, call);
    }
  }
}
