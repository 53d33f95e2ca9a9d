package io.sippbx.media.session;

import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortPair;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The last state of a session that has ended, as octets: one object in place of a dozen, of which a
 * minute's calls would be kept. Read only by the process that wrote it.
 */
final class LastState {

  private LastState() {}

  /** All of a state but its call. */
  static byte[] toOctets(SessionState state) {
    var out = new Writer();
    out.number(state.revision());
    out.flag(state.confirmed());
    out.flag(state.mediaTimedOut());
    out.number(state.streams().size());
    for (SessionState.Stream stream : state.streams()) {
      out.number(stream.index());
      out.end(stream.a());
      out.end(stream.b());
      out.flag(stream.counts().isPresent());
      if (stream.counts().isPresent()) {
        SessionCounts.Stream counts = stream.counts().get();
        out.number(counts.index());
        out.counts(counts.a());
        out.counts(counts.b());
      }
    }
    return out.octets.toByteArray();
  }

  /** The state that was written, of this call. */
  static SessionState ofOctets(CallKey call, byte[] octets) {
    var in = new Reader(ByteBuffer.wrap(octets));
    long revision = in.number();
    boolean confirmed = in.flag();
    boolean mediaTimedOut = in.flag();
    int size = (int) in.number();
    var streams = new ArrayList<SessionState.Stream>(size);
    for (int i = 0; i < size; i++) {
      streams.add(
          new SessionState.Stream(
              (int) in.number(),
              in.end(),
              in.end(),
              in.flag()
                  ? Optional.of(
                      new SessionCounts.Stream((int) in.number(), in.counts(), in.counts()))
                  : Optional.empty()));
    }
    return new SessionState(call, revision, confirmed, mediaTimedOut, streams);
  }

  private static final class Writer {

    final ByteArrayOutputStream octets = new ByteArrayOutputStream(128);

    /** Seven bits an octet, lowest first; the sign is the lowest bit: most numbers are small. */
    void number(long value) {
      long rest = value << 1 ^ value >> 63;
      while ((rest & ~0x7f) != 0) {
        octets.write((int) rest & 0x7f | 0x80);
        rest >>>= 7;
      }
      octets.write((int) rest);
    }

    void flag(boolean value) {
      octets.write(value ? 1 : 0);
    }

    void ip(IpAddress ip) {
      byte[] bytes = ip.octets();
      octets.write(bytes.length);
      octets.writeBytes(bytes);
    }

    void endpoint(Optional<Endpoint> endpoint) {
      flag(endpoint.isPresent());
      if (endpoint.isPresent()) {
        ip(endpoint.get().ip());
        number(endpoint.get().port());
      }
    }

    void end(SessionState.LocalEnd end) {
      ip(end.pair().address().bind());
      ip(end.pair().address().advertised());
      number(end.pair().rtpPort());
      flag(end.rtcpMux());
    }

    void counts(EndCounts counts) {
      number(counts.packets());
      number(counts.bytes());
      number(counts.lost());
      number(counts.jitterTicks());
      number(counts.clockRateHz());
      number(counts.rtcpPackets());
      number(counts.dtlsPackets());
      number(counts.droppedStray());
      number(counts.droppedInvalid());
      number(counts.droppedStun());
      number(counts.droppedDirection());
      number(counts.droppedUnsent());
      number(counts.droppedByKernel());
      number(counts.sentPackets());
      number(counts.sentBytes());
      number(counts.sentRtcpPackets());
      number(counts.reportedLost());
      number(counts.reportedJitterTicks());
      endpoint(counts.latched());
      endpoint(counts.latchedRtcp());
      flag(counts.lastPacketNs().isPresent());
      counts.lastPacketNs().ifPresent(this::number);
    }
  }

  private record Reader(ByteBuffer octets) {

    long number() {
      long rest = 0;
      int shift = 0;
      byte octet;
      do {
        octet = octets.get();
        rest |= (octet & 0x7fL) << shift;
        shift += 7;
      } while (octet < 0);
      return rest >>> 1 ^ -(rest & 1);
    }

    boolean flag() {
      return octets.get() != 0;
    }

    IpAddress ip() {
      var bytes = new byte[octets.get()];
      octets.get(bytes);
      return IpAddress.ofOctets(bytes);
    }

    Optional<Endpoint> endpoint() {
      return flag() ? Optional.of(new Endpoint(ip(), (int) number())) : Optional.empty();
    }

    SessionState.LocalEnd end() {
      var address = new LocalAddress(ip(), ip());
      return new SessionState.LocalEnd(new PortPair(address, (int) number()), flag());
    }

    /** In the order in which they were written: arguments are evaluated from the first on. */
    EndCounts counts() {
      return new EndCounts(
          number(),
          number(),
          number(),
          number(),
          (int) number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          number(),
          endpoint(),
          endpoint(),
          flag() ? OptionalLong.of(number()) : OptionalLong.empty());
    }
  }
}
