package io.sippbx.control.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
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

    /** All of it in one array, for {@link #apart}. */
    public byte[] together() {
      int size = Integer.BYTES + head.size();
      for (Map.Entry<String, ByteString> field : fields.entrySet()) {
        size += 2 * Integer.BYTES + utf8(field.getKey()) + field.getValue().size();
      }
      ByteBuffer all = ByteBuffer.allocate(size);
      add(all, head);
      for (Map.Entry<String, ByteString> field : fields.entrySet()) {
        byte[] name = field.getKey().getBytes(StandardCharsets.UTF_8);
        all.putInt(name.length).put(name);
        add(all, field.getValue());
      }
      return all.array();
    }

    /** Octets of a text in UTF-8. */
    private static int utf8(String text) {
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) >= 0x80) {
          return text.getBytes(StandardCharsets.UTF_8).length;
        }
      }
      return text.length();
    }

    private static void add(ByteBuffer to, ByteString content) {
      to.putInt(content.size());
      content.copyTo(to);
    }

    /** What {@link #together} put into one array, which is not kept. */
    public static Encoded apart(byte[] together) {
      ByteBuffer all = ByteBuffer.wrap(together);
      ByteString head = next(all);
      var fields = new TreeMap<String, ByteString>();
      while (all.hasRemaining()) {
        String name = next(all).toStringUtf8();
        fields.put(name, next(all));
      }
      return new Encoded(head, fields);
    }

    private static ByteString next(ByteBuffer from) {
      byte[] octets = new byte[from.getInt()];
      from.get(octets);
      return UnsafeByteOperations.unsafeWrap(octets);
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
