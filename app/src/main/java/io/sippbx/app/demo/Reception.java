package io.sippbx.app.demo;

import io.sippbx.media.rtp.RtpHeader;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.TreeMap;

/**
 * What one phone heard: packets, loss by sequence number, and the tone. Any thread.
 *
 * <p>The stream comes in stretches of talk with silence in between, in which the RTP clock goes on
 * and the sequence numbers do not (RFC 3550 5.1): so a gap within a stretch is told from one at its
 * edge, where a path is opened or closed.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1">RFC 3550 A.1, A.3</a>
 */
final class Reception {

  private static final int SEQUENCE_NUMBERS = 1 << 16;
  // Over twenty minutes; a demo lasts one. What is beyond is not remembered.
  private static final int MAX_PACKETS = SEQUENCE_NUMBERS;
  private static final int MAX_STRETCHES = 100;
  private static final int TICKS = MuLaw.SAMPLES_PER_SECOND / RtpEndpoint.PACKETS_PER_SECOND;

  /**
   * A reading.
   *
   * @param packets different ones of the stream
   * @param lost missing within a stretch of talk
   * @param duplicates that came before
   * @param strange datagrams that are not of the stream: no RTP, another payload type or source
   * @param lastSequence the highest sequence number, as it is on the wire; 0 if nothing came
   * @param share how much of the sound is the tone of the other side, 0 to 1
   * @param echo how much of it is the phone's own
   */
  record Reading(
      int packets,
      int lost,
      int duplicates,
      int strange,
      int lastSequence,
      double share,
      double echo) {}

  /** From its first packet that came to its last. */
  private record Stretch(int first, int last, int packets) {
    Stretch with(int place) {
      return new Stretch(Math.min(first, place), Math.max(last, place), packets + 1);
    }

    int lost() {
      return last - first + 1 - packets;
    }
  }

  private final ToneMeter meter;
  private final BitSet came = new BitSet();

  /** By how many packets of silence came before it, counted from anywhere. */
  private final TreeMap<Integer, Stretch> stretches = new TreeMap<>();

  private boolean started;
  private int ssrc;
  private int firstSequence;
  private int highest;
  private int duplicates;
  private int strange;

  /**
   * @param theirs the tone of the other side
   * @param own the phone's own
   */
  Reception(Tone theirs, Tone own) {
    meter = new ToneMeter(theirs, own);
  }

  /** Takes the datagram that lies between 0 and the buffer's limit and is backed by an array. */
  synchronized void receive(ByteBuffer datagram) {
    int length = datagram.limit();
    int header = RtpHeader.headerBytes(datagram, 0, length);
    if (header < 0 || RtpHeader.payloadType(datagram, 0) != MuLaw.PAYLOAD_TYPE) {
      strange++;
      return;
    }
    int sequence = RtpHeader.sequenceNumber(datagram, 0);
    if (!started) {
      started = true;
      ssrc = RtpHeader.ssrc(datagram, 0);
      firstSequence = sequence;
    }
    if (RtpHeader.ssrc(datagram, 0) != ssrc) {
      strange++;
      return;
    }
    int place = place(sequence);
    if (place < 0 || place >= MAX_PACKETS) {
      strange++;
    } else if (came.get(place)) {
      duplicates++;
    } else if (take(place, RtpHeader.timestamp(datagram, 0))) {
      meter.add(datagram.array(), datagram.arrayOffset() + header, length - header);
    }
  }

  private boolean take(int place, int timestamp) {
    // Never mind where the clock began: within a stretch the difference stays the same.
    int silence = (timestamp - place * TICKS) / TICKS;
    Stretch known = stretches.get(silence);
    if (known == null && stretches.size() >= MAX_STRETCHES) {
      strange++;
      return false;
    }
    stretches.put(silence, (known == null ? new Stretch(place, place, 0) : known).with(place));
    came.set(place);
    highest = Math.max(highest, place);
    return true;
  }

  /** How many numbers after the first: the one with these 16 bits that is nearest the highest. */
  private int place(int sequence) {
    int after = (sequence - firstSequence - highest) & (SEQUENCE_NUMBERS - 1);
    return after < SEQUENCE_NUMBERS / 2 ? highest + after : highest + after - SEQUENCE_NUMBERS;
  }

  /** Different packets so far. */
  synchronized int packets() {
    return came.cardinality();
  }

  /** The reading now. */
  synchronized Reading reading() {
    return new Reading(
        came.cardinality(),
        stretches.values().stream().mapToInt(Stretch::lost).sum(),
        duplicates,
        strange,
        (firstSequence + highest) & (SEQUENCE_NUMBERS - 1),
        meter.shareOfExpected(),
        meter.shareOfOther());
  }
}
