package io.sippbx.app.demo;

import io.sippbx.media.rtp.RtpHeader;
import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * What one phone heard: packets, loss by sequence number, and the tone. Any thread.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3550#appendix-A.1">RFC 3550 A.1, A.3</a>
 */
final class Reception {

  private static final int SEQUENCE_NUMBERS = 1 << 16;
  // Over twenty minutes; a demo lasts one. What is beyond is not remembered, so it counts as lost.
  private static final int MAX_PACKETS = SEQUENCE_NUMBERS;

  /**
   * A reading.
   *
   * @param packets different ones of the stream
   * @param lost missing between the first and the last that came
   * @param duplicates that came before
   * @param strange datagrams that are not of the stream: no RTP, another payload type or source
   * @param share how much of the sound is the tone of the other side, 0 to 1
   * @param echo how much of it is the phone's own
   */
  record Reading(int packets, int lost, int duplicates, int strange, double share, double echo) {}

  private final ToneMeter meter;
  private final BitSet came = new BitSet();
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
    } else {
      came.set(place);
      highest = Math.max(highest, place);
      meter.add(datagram.array(), datagram.arrayOffset() + header, length - header);
    }
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
    int packets = came.cardinality();
    int lost = started ? highest + 1 - packets : 0;
    return new Reading(
        packets, lost, duplicates, strange, meter.shareOfExpected(), meter.shareOfOther());
  }
}
