package io.sippbx.media.session;

import io.sippbx.media.port.PortPair;
import io.sippbx.media.relay.End;
import io.sippbx.media.relay.EndPlan;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadTypes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A session that is held: a spec that is carried out, and the pairs that its ends are bound to.
 * Immutable; {@link MediaSessions} replaces it as a whole when another spec has been carried out.
 *
 * @param spec what is held
 * @param streams as in the spec, in its order
 * @param specNs when this spec was carried out
 */
record MediaSession(SessionSpec spec, List<OpenStream> streams, long specNs) {

  /** A stream with the pairs of its two ends. */
  record OpenStream(StreamSpec spec, PortPair a, PortPair b) {

    PortPair pair(End end) {
      return end == End.A ? a : b;
    }

    StreamPorts ports() {
      return new StreamPorts(spec.index(), a.bindRtp(), a.bindRtcp(), b.bindRtp(), b.bindRtcp());
    }

    StreamPlan plan() {
      MediaKind kind = MediaKind.of(spec.media());
      return new StreamPlan(
          spec.index(), kind, spec.form(), endPlan(spec.a(), kind), endPlan(spec.b(), kind));
    }

    private static EndPlan endPlan(EndSpec end, MediaKind kind) {
      return new EndPlan(
          end.remoteRtp(),
          end.remoteRtcp(),
          end.rtcpMux(),
          end.maySend(),
          end.wantsReceive(),
          PayloadTypes.of(kind, end.payloadTypes()),
          end.latchEpoch());
    }
  }

  MediaSession {
    streams = List.copyOf(streams);
  }

  /** Every pair that the session has been lent. */
  List<PortPair> pairs() {
    return pairs(streams);
  }

  static List<PortPair> pairs(List<OpenStream> streams) {
    var pairs = new ArrayList<PortPair>(2 * streams.size());
    for (OpenStream stream : streams) {
      pairs.add(stream.a());
      pairs.add(stream.b());
    }
    return pairs;
  }

  static List<StreamPorts> ports(List<OpenStream> streams) {
    return streams.stream().map(OpenStream::ports).toList();
  }

  static SessionPlan plan(List<OpenStream> streams, Duration mediaTimeout) {
    return new SessionPlan(streams.stream().map(OpenStream::plan).toList(), mediaTimeout);
  }

  /**
   * The pair that an end keeps when {@code wanted} is carried out: that of the same end of the same
   * media line, unless it becomes another IP version or another pinned port. Another kind of media
   * keeps it: a fax takes the place of a voice in the same line, and gives it back (RFC 3264
   * 8.3.3).
   */
  @Nullable PortPair kept(StreamSpec wanted, End end) {
    for (OpenStream stream : streams) {
      if (stream.spec().index() == wanted.index()) {
        PortPair pair = stream.pair(end);
        EndSpec wantedEnd = wanted.end(end);
        boolean same =
            pair.address().isV6() == wantedEnd.v6()
                && (wantedEnd.pinnedPort() == 0 || wantedEnd.pinnedPort() == pair.rtpPort());
        return same ? pair : null;
      }
    }
    return null;
  }

  /** Whether an end that has said where it is may send: whether silence means anything. */
  boolean owesPackets() {
    for (OpenStream stream : streams) {
      for (End end : End.values()) {
        EndSpec from = stream.spec().end(end);
        if (from.maySend() && from.remoteRtp().isPresent()) {
          return true;
        }
      }
    }
    return false;
  }

  SessionState state(Optional<SessionCounts> counts, boolean mediaTimedOut) {
    var states = new ArrayList<SessionState.Stream>(streams.size());
    for (OpenStream stream : streams) {
      states.add(
          new SessionState.Stream(
              stream.spec().index(),
              new SessionState.LocalEnd(stream.a(), stream.spec().a().rtcpMux()),
              new SessionState.LocalEnd(stream.b(), stream.spec().b().rtcpMux()),
              counts.flatMap(all -> ofIndex(all, stream.spec().index()))));
    }
    return new SessionState(spec.call(), spec.revision(), spec.confirmed(), mediaTimedOut, states);
  }

  private static Optional<SessionCounts.Stream> ofIndex(SessionCounts counts, int index) {
    for (SessionCounts.Stream stream : counts.streams()) {
      if (stream.index() == index) {
        return Optional.of(stream);
      }
    }
    return Optional.empty();
  }
}
