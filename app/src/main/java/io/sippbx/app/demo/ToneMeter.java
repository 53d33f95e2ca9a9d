package io.sippbx.app.demo;

/**
 * Finds how much of what was heard is one tone and how much another, by Goertzel's algorithm over
 * blocks of a tenth of a second. Not for several threads.
 */
final class ToneMeter {

  private static final int BLOCK = MuLaw.SAMPLES_PER_SECOND / 10;
  // What the quantization of silence amounts to: a block below it holds no sound.
  private static final double SILENCE = (double) BLOCK * 16 * 16;

  private final Bin expected;
  private final Bin other;
  private int samples;
  private double energy;
  private double energyOfAll;

  /**
   * @param expected the tone that should be heard
   * @param other the tone that should not
   */
  ToneMeter(Tone expected, Tone other) {
    this.expected = new Bin(expected);
    this.other = new Bin(other);
  }

  /** Takes mu-law octets as they were heard. */
  void add(byte[] octets, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      double sample = MuLaw.decode(octets[i]);
      energy += sample * sample;
      expected.add(sample);
      other.add(sample);
      samples++;
      if (samples == BLOCK) {
        endBlock();
      }
    }
  }

  private void endBlock() {
    if (energy > SILENCE) {
      energyOfAll += energy;
    }
    expected.endBlock(energy > SILENCE);
    other.endBlock(energy > SILENCE);
    samples = 0;
    energy = 0;
  }

  /** How much of the energy of all whole blocks is the expected tone's: 0 to 1; 0 for silence. */
  double shareOfExpected() {
    return share(expected);
  }

  /** How much is the other tone's. */
  double shareOfOther() {
    return share(other);
  }

  private double share(Bin bin) {
    // A sine of amplitude A over N samples has energy A*A*N/2 and power (A*N/2)^2 in its bin.
    return energyOfAll == 0 ? 0 : Math.min(1, 2 * bin.powerOfAll / (BLOCK * energyOfAll));
  }

  /** One frequency: a resonator that starts anew with each block. */
  private static final class Bin {
    private final double coefficient;
    private double last;
    private double beforeLast;
    private double powerOfAll;

    Bin(Tone tone) {
      coefficient = 2 * Math.cos(2 * Math.PI * tone.hertz() / MuLaw.SAMPLES_PER_SECOND);
    }

    void add(double sample) {
      double next = sample + coefficient * last - beforeLast;
      beforeLast = last;
      last = next;
    }

    void endBlock(boolean counts) {
      if (counts) {
        powerOfAll += last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
      }
      last = 0;
      beforeLast = 0;
    }
  }
}
