package io.sippbx.media.rtp;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * The RTP payload types that are valid from one end of a stream, and their clock rates. Immutable;
 * its look-ups allocate nothing.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3551#section-6">RFC 3551 6, tables 4 and 5</a>
 */
public final class PayloadTypes {

  /** Payload types are 0 to 127. */
  public static final int COUNT = 128;

  private static final EnumMap<MediaKind, PayloadTypes> ANY = new EnumMap<>(MediaKind.class);

  static {
    for (MediaKind kind : MediaKind.values()) {
      ANY.put(kind, new PayloadTypes(~0L, ~0L, defaultRates(kind)));
    }
  }

  private final long low;
  private final long high;

  /** Not to be changed: those of a kind are shared. */
  private final int[] clockRatesHz;

  private PayloadTypes(long low, long high, int[] clockRatesHz) {
    this.low = low;
    this.high = high;
    this.clockRatesHz = clockRatesHz;
  }

  /** Every payload type, with the clock rates of RFC 3551 or else the default of the kind. */
  public static PayloadTypes any(MediaKind kind) {
    return Objects.requireNonNull(ANY.get(kind));
  }

  /**
   * Those given; every one when none is.
   *
   * @throws IllegalArgumentException for a payload type out of 0 to 127
   */
  public static PayloadTypes of(MediaKind kind, Collection<Integer> payloadTypes) {
    return of(kind, payloadTypes, Map.of());
  }

  /**
   * Those given (every one when none is), with the clock rates that are known of them from {@code
   * a=rtpmap}.
   *
   * @throws IllegalArgumentException for a payload type out of 0 to 127, or a clock rate below 1
   */
  public static PayloadTypes of(
      MediaKind kind, Collection<Integer> payloadTypes, Map<Integer, Integer> clockRatesHz) {
    long low = 0;
    long high = 0;
    for (int payloadType : payloadTypes) {
      requirePayloadType(payloadType);
      if (payloadType < Long.SIZE) {
        low |= 1L << payloadType;
      } else {
        high |= 1L << (payloadType - Long.SIZE);
      }
    }
    PayloadTypes any = any(kind);
    if (payloadTypes.isEmpty()) {
      low = any.low;
      high = any.high;
    }
    return new PayloadTypes(low, high, rates(any.clockRatesHz, clockRatesHz));
  }

  private static int[] rates(int[] ofKind, Map<Integer, Integer> known) {
    if (known.isEmpty()) {
      return ofKind;
    }
    int[] rates = ofKind.clone();
    for (var entry : known.entrySet()) {
      requirePayloadType(entry.getKey());
      if (entry.getValue() < 1) {
        throw new IllegalArgumentException(
            "Expected a clock rate above 0, but got " + entry.getValue());
      }
      rates[entry.getKey()] = entry.getValue();
    }
    return rates;
  }

  private static void requirePayloadType(int payloadType) {
    if (payloadType < 0 || payloadType >= COUNT) {
      throw new IllegalArgumentException(
          "Expected a payload type from 0 to 127, but got " + payloadType);
    }
  }

  private static int[] defaultRates(MediaKind kind) {
    var rates = new int[COUNT];
    Arrays.fill(rates, kind.defaultClockRateHz());
    Arrays.fill(rates, 0, 24, 8_000);
    rates[6] = 16_000;
    rates[10] = 44_100;
    rates[11] = 44_100;
    rates[14] = 90_000;
    rates[16] = 11_025;
    rates[17] = 22_050;
    Arrays.fill(rates, 24, 35, 90_000);
    return rates;
  }

  /** Whether packets of this payload type (0 to 127) are valid. */
  public boolean allows(int payloadType) {
    long half = payloadType < Long.SIZE ? low : high;
    return (half >>> payloadType & 1) != 0;
  }

  /** Ticks a second of the RTP timestamp of this payload type (0 to 127). */
  public int clockRateHz(int payloadType) {
    return clockRatesHz[payloadType];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PayloadTypes that
        && low == that.low
        && high == that.high
        && Arrays.equals(clockRatesHz, that.clockRatesHz);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(31 * low + high) * 31 + Arrays.hashCode(clockRatesHz);
  }

  @Override
  public String toString() {
    var text = new StringBuilder("PayloadTypes[");
    if (low == ~0L && high == ~0L) {
      return text.append("any]").toString();
    }
    String separator = "";
    for (int payloadType = 0; payloadType < COUNT; payloadType++) {
      if (allows(payloadType)) {
        text.append(separator).append(payloadType).append('/').append(clockRatesHz[payloadType]);
        separator = " ";
      }
    }
    return text.append(']').toString();
  }
}
