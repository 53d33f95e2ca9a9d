package io.sippbx.control.offer;

import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.PayloadForm;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.Connection;
import io.sippbx.shared.sdp.Direction;
import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The streams that the media node shall hold, by what the two ends have said. Immutable: each thing
 * said gives the next plan, and an Apply is due when {@link #streams} has changed.
 *
 * <pre>
 * first offer, from either end     offered(by, offer)       ports for both ends
 * answer of an early dialog        early(a, b)              media may flow; no port is given back
 * answer                           agreed(a, b)             exactly what both accepted
 * another offer                    offered(by, offer)       what is agreed goes on; new lines get ports
 * it is refused                    agreed(a, b) as before
 * another dialog's answer (fork)   early(a, b') or agreed(a, b')
 * another callee instead           forgetting(B)
 * another media node               moved()
 * </pre>
 *
 * <p>An INVITE without an offer opens nothing; the ports come with the offer in its answer.
 *
 * @param aV6 IP version towards A where A has not said an address
 * @param bV6 IP version towards B where B has not said an address
 * @param streams of the desired session
 * @param lastEpoch highest latch epoch ever used in this call; -1 before the first
 */
public record MediaPlan(boolean aV6, boolean bV6, List<StreamSpec> streams, int lastEpoch) {

  /** Copies {@code streams}. */
  public MediaPlan {
    streams = List.copyOf(streams);
  }

  /** No streams yet. */
  public static MediaPlan none(boolean aV6, boolean bV6) {
    return new MediaPlan(aV6, bV6, List.of(), -1);
  }

  /** The position of the first audio stream, if there is one. */
  public OptionalInt firstAudio() {
    for (StreamSpec stream : streams) {
      if (stream.media().equals("audio")) {
        return OptionalInt.of(stream.index());
      }
    }
    return OptionalInt.empty();
  }

  /** The pairs that the session needs; of one stream while nobody has said more. */
  public MediaNeed need() {
    return streams.isEmpty()
        ? MediaNeed.ofEnd(aV6).plus(MediaNeed.ofEnd(bV6))
        : MediaNeed.of(streams);
  }

  /**
   * What an offer that is not answered yet needs: ports for its new lines, and packets in the
   * formats of before and of the offer. What was agreed goes on: a line that the offer disables is
   * given up only when that is {@link #agreed}.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3264#section-8.3.1">RFC 3264 8.3.1</a>
   */
  public MediaPlan offered(End by, SessionDescription offer) {
    int epoch = lastEpoch + 1;
    var next = new ArrayList<StreamSpec>();
    int count = Math.max(offer.media().size(), indexBound());
    for (int i = 0; i < count; i++) {
      StreamSpec held = stream(i);
      MediaDescription line = i < offer.media().size() ? offer.media().get(i) : null;
      if (line == null || OfferCheck.problem(line).isPresent() || !line.isActive()) {
        if (held != null) {
          next.add(held);
        }
      } else if (held == null) {
        StreamEnd offerer = end(line, null, null, epoch, family(by));
        StreamEnd other = withTypes(unknown(by.other(), epoch), types(line));
        next.add(stream(i, line.media(), Transports.form(line), by, offerer, other));
      } else {
        StreamEnd offerer = by.of(held);
        StreamEnd other = by.other().of(held);
        if (offersOtherFamily(line, offerer)) {
          // Its own new end needs a port of the other IP version before it can be answered.
          offerer = end(line, null, null, epoch, family(by));
        }
        boolean mux = offerer.rtcpMux() && line.rtcpMux();
        next.add(
            stream(
                i,
                held.media(),
                whilePending(held.form(), Transports.form(line)),
                by,
                withMux(withTypes(offerer, union(offerer, line)), mux),
                withMux(withTypes(other, union(other, line)), mux)));
      }
    }
    return next(next);
  }

  /**
   * What is relayed while a line is offered in another form: what was agreed, and keys where they
   * are offered by DTLS. A fax is not taken for a voice before both want it.
   */
  private static PayloadForm whilePending(PayloadForm agreed, PayloadForm offered) {
    boolean both = agreed != PayloadForm.DATAGRAMS && offered == PayloadForm.DTLS_SRTP;
    return both ? offered : agreed;
  }

  /**
   * What flows while a call is set up: as agreed, except that lines which {@code b} or {@code a}
   * rejects keep their ports, for another dialog may accept them.
   */
  public MediaPlan early(SessionDescription a, SessionDescription b) {
    return settled(a, b, true);
  }

  /** What is agreed: exactly the lines that both have in use. */
  public MediaPlan agreed(SessionDescription a, SessionDescription b) {
    return settled(a, b, false);
  }

  private MediaPlan settled(SessionDescription a, SessionDescription b, boolean keepRejected) {
    int epoch = lastEpoch + 1;
    var next = new ArrayList<StreamSpec>();
    int count = Math.max(Math.min(a.media().size(), b.media().size()), indexBound());
    for (int i = 0; i < count; i++) {
      StreamSpec held = stream(i);
      boolean inUse = isInUse(a, i) && isInUse(b, i);
      if (inUse) {
        MediaDescription lineA = a.media().get(i);
        MediaDescription lineB = b.media().get(i);
        StreamEnd endA = end(lineA, lineB, held == null ? null : held.a(), epoch, aV6);
        StreamEnd endB = end(lineB, lineA, held == null ? null : held.b(), epoch, bV6);
        next.add(new StreamSpec(i, lineA.media(), Transports.form(lineA), endA, endB));
      } else if (held != null && keepRejected) {
        next.add(new StreamSpec(i, held.media(), held.form(), silent(held.a()), silent(held.b())));
      }
    }
    return next(next);
  }

  private static boolean isInUse(SessionDescription description, int index) {
    if (index >= description.media().size()) {
      return false;
    }
    MediaDescription line = description.media().get(index);
    return line.isActive() && OfferCheck.problem(line).isEmpty();
  }

  /** Whoever was at {@code end} is not any more; its ports stay for who comes instead. */
  public MediaPlan forgetting(End end) {
    int epoch = lastEpoch + 1;
    var next = new ArrayList<StreamSpec>();
    for (StreamSpec held : streams) {
      StreamEnd left = end.of(held);
      StreamEnd stays = end.other().of(held);
      StreamEnd unknown =
          new StreamEnd(
              left.v6(),
              Optional.empty(),
              Optional.empty(),
              false,
              true,
              true,
              stays.payloadTypes(),
              epoch,
              left.pinnedPort());
      next.add(
          stream(held.index(), held.media(), held.form(), end, unknown, withMux(stays, false)));
    }
    return next(next);
  }

  /** The session is on another node: latching starts again, on ports of the node's choice. */
  public MediaPlan moved() {
    int epoch = lastEpoch + 1;
    var next = new ArrayList<StreamSpec>();
    for (StreamSpec held : streams) {
      next.add(
          new StreamSpec(
              held.index(),
              held.media(),
              held.form(),
              withEpoch(held.a(), epoch, 0),
              withEpoch(held.b(), epoch, 0)));
    }
    return next(next);
  }

  /** The node has started anew: latching starts again, on the ports that both ends were told. */
  public MediaPlan restored(List<StreamAddresses> addresses) {
    int epoch = lastEpoch + 1;
    var next = new ArrayList<StreamSpec>();
    for (StreamSpec held : streams) {
      int portA = 0;
      int portB = 0;
      for (StreamAddresses address : addresses) {
        if (address.index() == held.index()) {
          portA = address.aRtp().port();
          portB = address.bRtp().port();
        }
      }
      next.add(
          new StreamSpec(
              held.index(),
              held.media(),
              held.form(),
              withEpoch(held.a(), epoch, portA),
              withEpoch(held.b(), epoch, portB)));
    }
    return next(next);
  }

  /** The end that {@code line} describes; {@code other} is null while nobody has answered. */
  private static StreamEnd end(
      MediaDescription line,
      @Nullable MediaDescription other,
      @Nullable StreamEnd before,
      int epoch,
      boolean familyIfUnsaid) {
    boolean v6 =
        said(line).map(IpAddress::isV6).orElse(before == null ? familyIfUnsaid : before.v6());
    boolean mux = other != null && line.rtcpMux() && other.rtcpMux();
    Optional<Endpoint> rtp = line.rtp();
    Optional<Endpoint> rtcp = mux ? Optional.empty() : line.rtcp();
    Direction direction = line.effectiveDirection();
    boolean sends = direction.sends();
    boolean receives = direction.receives();
    if (line.isHeldByAddress()) {
      // It still sends from where it was. One that never was anywhere must not be latched to:
      // any stranger could be it.
      rtp = before == null ? Optional.empty() : before.remoteRtp();
      rtcp = before == null ? Optional.empty() : before.remoteRtcp();
      sends &= rtp.isPresent();
    }
    boolean sameFamily = before != null && v6 == before.v6();
    // With rtcp-mux the address that was said for RTCP does not count any more.
    boolean samePlace =
        before != null
            && sameFamily
            && rtp.equals(before.remoteRtp())
            && (mux || before.rtcpMux() || rtcp.equals(before.remoteRtcp()));
    return new StreamEnd(
        v6,
        rtp,
        rtcp,
        mux,
        sends && (other == null || other.effectiveDirection().receives()),
        receives && (other == null || other.effectiveDirection().sends()),
        other == null ? types(line) : Codecs.common(line, other),
        before != null && samePlace ? before.latchEpoch() : epoch,
        before != null && sameFamily ? before.pinnedPort() : 0);
  }

  private static Optional<IpAddress> said(MediaDescription line) {
    return line.connection().flatMap(Connection::ip).filter(ip -> !ip.isUnspecified());
  }

  private static boolean offersOtherFamily(MediaDescription line, StreamEnd end) {
    return said(line).map(ip -> ip.isV6() != end.v6()).orElse(false);
  }

  private StreamEnd unknown(End end, int epoch) {
    return withEpoch(StreamEnd.unknown(family(end)), epoch, 0);
  }

  private boolean family(End end) {
    return end == End.A ? aV6 : bV6;
  }

  private static List<Integer> types(MediaDescription line) {
    return List.copyOf(new TreeSet<>(line.payloadTypes()));
  }

  private static List<Integer> union(StreamEnd end, MediaDescription line) {
    if (end.payloadTypes().isEmpty()) {
      return List.of();
    }
    var types = new TreeSet<>(end.payloadTypes());
    types.addAll(line.payloadTypes());
    return List.copyOf(types);
  }

  private static StreamSpec stream(
      int index, String media, PayloadForm form, End end, StreamEnd atEnd, StreamEnd atOther) {
    return end == End.A
        ? new StreamSpec(index, media, form, atEnd, atOther)
        : new StreamSpec(index, media, form, atOther, atEnd);
  }

  private @Nullable StreamSpec stream(int index) {
    for (StreamSpec stream : streams) {
      if (stream.index() == index) {
        return stream;
      }
    }
    return null;
  }

  private int indexBound() {
    return streams.isEmpty() ? 0 : streams.getLast().index() + 1;
  }

  private MediaPlan next(List<StreamSpec> next) {
    int highest = lastEpoch;
    for (StreamSpec stream : next) {
      highest = Math.max(highest, Math.max(stream.a().latchEpoch(), stream.b().latchEpoch()));
    }
    return new MediaPlan(aV6, bV6, next, highest);
  }

  private static StreamEnd withTypes(StreamEnd end, List<Integer> types) {
    return new StreamEnd(
        end.v6(),
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        end.maySend(),
        end.wantsReceive(),
        types,
        end.latchEpoch(),
        end.pinnedPort());
  }

  private static StreamEnd withMux(StreamEnd end, boolean mux) {
    return new StreamEnd(
        end.v6(),
        end.remoteRtp(),
        end.remoteRtcp(),
        mux,
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        end.latchEpoch(),
        end.pinnedPort());
  }

  private static StreamEnd withEpoch(StreamEnd end, int epoch, int pinnedPort) {
    return new StreamEnd(
        end.v6(),
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        end.maySend(),
        end.wantsReceive(),
        end.payloadTypes(),
        epoch,
        pinnedPort);
  }

  private static StreamEnd silent(StreamEnd end) {
    return new StreamEnd(
        end.v6(),
        end.remoteRtp(),
        end.remoteRtcp(),
        end.rtcpMux(),
        false,
        false,
        end.payloadTypes(),
        end.latchEpoch(),
        end.pinnedPort());
  }
}
