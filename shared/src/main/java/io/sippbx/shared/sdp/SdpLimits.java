package io.sippbx.shared.sdp;

/**
 * What a session description may have at most; one that has more is malformed.
 *
 * @param bytes of the whole body
 * @param lines of the whole body
 * @param mediaLines "m=" lines
 * @param formats of one media line
 */
public record SdpLimits(int bytes, int lines, int mediaLines, int formats) {

  /** 32 KiB, 1,000 lines, 32 media lines of 100 formats: more than any browser sends. */
  public static final SdpLimits DEFAULT = new SdpLimits(32 * 1024, 1_000, 32, 100);

  /** Refuses limits that nothing could meet. */
  public SdpLimits {
    if (bytes < 1 || lines < 1 || mediaLines < 0 || formats < 1) {
      throw new IllegalArgumentException(
          "Expected positive limits, but got bytes="
              + bytes
              + " lines="
              + lines
              + " mediaLines="
              + mediaLines
              + " formats="
              + formats);
    }
  }
}
