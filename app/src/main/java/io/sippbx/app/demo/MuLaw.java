package io.sippbx.app.demo;

/**
 * G.711 mu-law: 16-bit linear samples as one octet each, on eight segments whose steps double.
 *
 * @see <a href="https://www.itu.int/rec/T-REC-G.711">ITU-T G.711</a>
 */
final class MuLaw {

  /** Samples a second, and ticks of the RTP clock. */
  static final int SAMPLES_PER_SECOND = 8_000;

  /** The payload type of PCMU (RFC 3551 6). */
  static final int PAYLOAD_TYPE = 0;

  /** The loudest sample that there is a code for. */
  static final int LOUDEST = 32_635;

  private static final int BIAS = 132;

  private MuLaw() {}

  /** The code of a sample; what is too loud is made the loudest. */
  static byte encode(int sample) {
    int sign = sample < 0 ? 0x80 : 0;
    int magnitude = Math.min(Math.abs(sample), LOUDEST) + BIAS;
    // With the bias on, the highest bit is one of eight, and it is the segment.
    int segment = Integer.SIZE - 8 - Integer.numberOfLeadingZeros(magnitude);
    int step = magnitude >>> (segment + 3) & 0x0f;
    return (byte) ~(sign | segment << 4 | step);
  }

  /** The sample of a code. */
  static int decode(byte code) {
    int bits = ~code & 0xff;
    int magnitude = ((((bits & 0x0f) << 3) + BIAS) << (bits >>> 4 & 7)) - BIAS;
    return (bits & 0x80) == 0 ? magnitude : -magnitude;
  }
}
