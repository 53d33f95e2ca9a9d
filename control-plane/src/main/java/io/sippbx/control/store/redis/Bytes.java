package io.sippbx.control.store.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Redis' answers taken apart: octets, numbers and lists of them. */
final class Bytes {

  private Bytes() {}

  static byte[] of(String text) {
    return text.getBytes(UTF_8);
  }

  static byte[] of(long number) {
    return of(Long.toString(number));
  }

  static byte[] octets(@Nullable Object value) {
    if (value instanceof byte[] octets) {
      return octets;
    }
    throw new UnexpectedReplyException("octets", value);
  }

  /** Octets of an answer, which nobody else holds. */
  static ByteString owned(@Nullable Object value) {
    return UnsafeByteOperations.unsafeWrap(octets(value));
  }

  static String text(@Nullable Object value) {
    return new String(octets(value), UTF_8);
  }

  /** A number, as itself or as its digits. */
  static long number(@Nullable Object value) {
    if (value instanceof Long number) {
      return number;
    }
    try {
      return Long.parseLong(text(value));
    } catch (NumberFormatException e) {
      throw new UnexpectedReplyException("a number", value, e);
    }
  }

  static List<?> list(@Nullable Object value) {
    if (value instanceof List<?> list) {
      return list;
    }
    throw new UnexpectedReplyException("a list", value);
  }

  static Object at(List<?> list, int index) {
    Object value = index < list.size() ? list.get(index) : null;
    if (value == null) {
      throw new UnexpectedReplyException("an entry " + index, list);
    }
    return value;
  }

  /** Redis holds or says what none of our scripts does. */
  static final class UnexpectedReplyException extends RuntimeException {
    UnexpectedReplyException(String expected, @Nullable Object value) {
      this(expected, value, null);
    }

    UnexpectedReplyException(String expected, @Nullable Object value, @Nullable Throwable cause) {
      super(
          "expected "
              + expected
              + ", but got "
              + (value == null ? "nothing" : "a " + value.getClass().getSimpleName()),
          cause);
    }
  }
}
