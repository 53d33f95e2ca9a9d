package io.sippbx.app.demo;

/**
 * What a phone of the demo says: one sine, as G.711 mu-law.
 *
 * @param hertz below half of the sampling rate, and so that a packet holds whole turns: what was
 *     lost or left out between two packets then leaves no crack in the tone
 */
record Tone(int hertz) {

  private static final double AMPLITUDE = 8_000;

  /** Refuses other frequencies. */
  Tone {
    if (hertz < RtpEndpoint.PACKETS_PER_SECOND
        || hertz >= MuLaw.SAMPLES_PER_SECOND / 2
        || hertz % RtpEndpoint.PACKETS_PER_SECOND != 0) {
      throw new IllegalArgumentException(
          "Expected a multiple of "
              + RtpEndpoint.PACKETS_PER_SECOND
              + " Hz below "
              + MuLaw.SAMPLES_PER_SECOND / 2
              + " Hz, but got "
              + hertz);
    }
  }

  /**
   * Writes {@code samples} octets of it.
   *
   * @param firstSample which sample of the tone is the first: from one packet to the next the tone
   *     goes on
   */
  void write(byte[] target, int offset, int samples, long firstSample) {
    for (int i = 0; i < samples; i++) {
      double turns = (double) (firstSample + i) * hertz / MuLaw.SAMPLES_PER_SECOND;
      double sample = AMPLITUDE * Math.sin(2 * Math.PI * (turns - Math.floor(turns)));
      target[offset + i] = MuLaw.encode((int) Math.round(sample));
    }
  }

  @Override
  public String toString() {
    return hertz + " Hz";
  }
}
