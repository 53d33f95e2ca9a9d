package io.sippbx.media.testkit;

import io.sippbx.media.session.EndSpec;
import io.sippbx.media.session.SessionSpec;
import io.sippbx.media.session.StreamSpec;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Specs for tests. */
public final class Specs {

  private Specs() {}

  /** One of many call keys, in their order. */
  public static CallKey call(int number) {
    byte[] octets = new byte[16];
    octets[0] = (byte) (number >>> 8);
    octets[1] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  /** An end at 127.0.0.1, or ::1, that has said that it receives on {@code port}; 0: not yet. */
  public static EndSpec end(boolean v6, int port) {
    Optional<Endpoint> remote =
        port == 0 ? Optional.empty() : Optional.of(Endpoint.of(v6 ? "::1" : "127.0.0.1", port));
    return new EndSpec(v6, remote, Optional.empty(), false, true, true, List.of(), 0, 0);
  }

  /** The same end, to be bound to a certain port. */
  public static EndSpec pinned(EndSpec end, int port) {
    return new EndSpec(
        end.v6(),
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        end.latchEpoch(),
        port);
  }

  /** The same end, which may not send. */
  public static EndSpec held(EndSpec end) {
    return new EndSpec(
        end.v6(),
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        false,
        end.wantsReceive(),
        end.payloadTypes(),
        end.latchEpoch(),
        end.pinnedPort());
  }

  /** Audio between two IPv4 ends. */
  public static StreamSpec audio(int index) {
    return StreamSpec.rtp(index, "audio", end(false, 4_000), end(false, 5_000));
  }

  /** Video between two IPv4 ends. */
  public static StreamSpec video(int index) {
    return StreamSpec.rtp(index, "video", end(false, 4_002), end(false, 5_002));
  }

  /** A confirmed session without a media time-out. */
  public static SessionSpec spec(CallKey call, long revision, StreamSpec... streams) {
    return new SessionSpec(call, revision, List.of(streams), true, Duration.ZERO);
  }

  /** The same, not confirmed. */
  public static SessionSpec unconfirmed(SessionSpec spec) {
    return new SessionSpec(
        spec.call(), spec.revision(), spec.streams(), false, spec.mediaTimeout());
  }

  /** The same with a media time-out. */
  public static SessionSpec timedOut(SessionSpec spec, Duration mediaTimeout) {
    return new SessionSpec(
        spec.call(), spec.revision(), spec.streams(), spec.confirmed(), mediaTimeout);
  }
}
