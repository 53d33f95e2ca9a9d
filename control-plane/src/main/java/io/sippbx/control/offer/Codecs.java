package io.sippbx.control.offer;

import io.sippbx.shared.sdp.MediaDescription;
import io.sippbx.shared.sdp.RtpMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Which formats of two media lines mean the same. */
final class Codecs {

  private Codecs() {}

  /** What a format of an RTP line stands for, where that is known. */
  static Optional<RtpMap> map(MediaDescription media, String format) {
    Optional<Integer> type = payloadType(format);
    return media.isRtp() && type.isPresent() ? media.rtpMap(type.get()) : Optional.empty();
  }

  static Optional<Integer> payloadType(String format) {
    if (format.isEmpty() || format.length() > 3) {
      return Optional.empty();
    }
    int value = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c < '0' || c > '9') {
        return Optional.empty();
      }
      value = value * 10 + (c - '0');
    }
    return value > 127 ? Optional.empty() : Optional.of(value);
  }

  /** Whether a format of {@code one} is among those of {@code other}, by any number. */
  static boolean has(MediaDescription other, MediaDescription one, String format) {
    Optional<RtpMap> map = map(one, format);
    for (String candidate : other.formats()) {
      Optional<RtpMap> its = map(other, candidate);
      boolean same =
          map.isPresent() && its.isPresent()
              ? map.get().sameCodec(its.get())
              : map.isEmpty() && its.isEmpty() && candidate.equalsIgnoreCase(format);
      if (same) {
        return true;
      }
    }
    return false;
  }

  /** Whether the lines have a format in common. */
  static boolean intersect(MediaDescription one, MediaDescription other) {
    return one.formats().stream().anyMatch(format -> has(other, one, format));
  }

  /**
   * The payload types of what both lines have, by the numbers of both: an answerer may choose
   * numbers of its own (RFC 3264 6.1), and not every sender uses those of its peer. All of both
   * when they have nothing in common; ascending.
   */
  static List<Integer> common(MediaDescription one, MediaDescription other) {
    var types = new TreeSet<Integer>();
    addCommon(types, one, other);
    addCommon(types, other, one);
    if (types.isEmpty()) {
      types.addAll(one.payloadTypes());
      types.addAll(other.payloadTypes());
    }
    return List.copyOf(types);
  }

  private static void addCommon(Set<Integer> types, MediaDescription from, MediaDescription in) {
    for (int type : from.payloadTypes()) {
      if (has(in, from, Integer.toString(type))) {
        types.add(type);
      }
    }
  }
}
