package io.sippbx.media.rtp;

/** What a stream carries, as far as relaying it differs. */
public enum MediaKind {
  AUDIO(8_000),
  VIDEO(90_000),
  /** Any other media field of an SDP's {@code m=} line. */
  OTHER(90_000);

  private final int defaultClockRateHz;

  MediaKind(int defaultClockRateHz) {
    this.defaultClockRateHz = defaultClockRateHz;
  }

  /** The kind that a media field names: {@code audio}, {@code video}, or else {@link #OTHER}. */
  public static MediaKind of(String mediaField) {
    if (mediaField.equalsIgnoreCase("audio")) {
      return AUDIO;
    }
    return mediaField.equalsIgnoreCase("video") ? VIDEO : OTHER;
  }

  /** The RTP clock rate of a payload type of which no other is known. */
  public int defaultClockRateHz() {
    return defaultClockRateHz;
  }
}
