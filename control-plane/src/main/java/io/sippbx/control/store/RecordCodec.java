package io.sippbx.control.store;

import com.google.protobuf.ByteString;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How a record is written as bytes: a head that each commit writes anew, and fields that are
 * written once and removed when they are no longer needed. For any thread; never looks at a clock.
 *
 * @param <R> the record
 */
public interface RecordCodec<R> {

  /** Bytes of a head or a field at most. */
  int MAX_BYTES = 1 << 20;

  /** Fields of a record at most. */
  int MAX_FIELDS = 256;

  /** Takes a record apart. */
  Encoded encode(R record);

  /** Puts a record together again. Never throws. */
  Decoded<R> decode(Encoded stored);

  /**
   * A record as it is stored.
   *
   * @param head changes with each commit
   * @param fields by their names. A name stands for its content for the life of the record: what
   *     changes gets a name of its own
   */
  record Encoded(ByteString head, SortedMap<String, ByteString> fields) {
    /** Copies the map, and refuses what is too large. */
    public Encoded {
      fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
      if (fields.size() > MAX_FIELDS) {
        throw new IllegalArgumentException(
            "Expected " + MAX_FIELDS + " fields or fewer, but got " + fields.size());
      }
      refuseTooLarge("the head", head);
      fields.forEach(Encoded::refuseTooLarge);
    }

    /** A record without fields. */
    public Encoded(ByteString head) {
      this(head, Collections.emptySortedMap());
    }

    private static void refuseTooLarge(String name, ByteString content) {
      if (content.size() > MAX_BYTES) {
        throw new IllegalArgumentException(
            "Expected "
                + MAX_BYTES
                + " octets or fewer, but got "
                + content.size()
                + " in "
                + name);
      }
    }
  }

  /** What was found in the bytes. */
  sealed interface Decoded<R> {}

  /** The record, with what this build does not know of it carried along. */
  record Read<R>(R record) implements Decoded<R> {}

  /** A later build wrote it in a way that this one must not drive it by: it is for a later one. */
  record TooNew<R>(int minReader) implements Decoded<R> {}

  /** It is not what any build would have written. */
  record Unreadable<R>(String reason) implements Decoded<R> {}
}
