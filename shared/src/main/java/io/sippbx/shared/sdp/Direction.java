package io.sippbx.shared.sdp;

import org.jspecify.annotations.Nullable;

/**
 * Which way media flows, as seen by the one who wrote the description.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8866#section-6.7">RFC 8866 6.7</a>
 */
public enum Direction {
  SENDRECV("sendrecv"),
  SENDONLY("sendonly"),
  RECVONLY("recvonly"),
  INACTIVE("inactive");

  private static final Direction[] ALL = values();

  private final String attribute;

  Direction(String attribute) {
    this.attribute = attribute;
  }

  /** The direction that a line says; null if it says none. */
  static @Nullable Direction saidBy(SdpLine line) {
    for (Direction each : ALL) {
      if (line.isAttribute(each.attribute)) {
        return each;
      }
    }
    return null;
  }

  /** The direction of one who sends and receives so. */
  public static Direction of(boolean sends, boolean receives) {
    if (sends) {
      return receives ? SENDRECV : SENDONLY;
    }
    return receives ? RECVONLY : INACTIVE;
  }

  /** Whether the writer sends. */
  public boolean sends() {
    return this == SENDRECV || this == SENDONLY;
  }

  /** Whether the writer receives. */
  public boolean receives() {
    return this == SENDRECV || this == RECVONLY;
  }

  /** The same as seen from the other end. */
  public Direction reversed() {
    return of(receives(), sends());
  }

  /** What both allow. */
  public Direction and(Direction other) {
    return of(sends() && other.sends(), receives() && other.receives());
  }

  /** The name of the attribute. */
  public String attribute() {
    return attribute;
  }

  /** The line. */
  public SdpLine line() {
    return SdpLine.attribute(attribute());
  }
}
