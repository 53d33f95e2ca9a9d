package io.sippbx.control.store;

import java.util.List;
import java.util.SortedMap;

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

  /** All that is not in a field. */
  byte[] head(R record);

  /**
   * The names of the record's fields, each once. A name stands for its content for the life of the
   * record: what changes gets a name of its own.
   */
  List<String> fields(R record);

  /** The content of one of {@link #fields}. */
  byte[] field(R record, String name);

  /** Puts a record together again. */
  Decoded<R> decode(byte[] head, SortedMap<String, byte[]> fields);

  /** What was found in the bytes. */
  sealed interface Decoded<R> {}

  /** The record. */
  record Read<R>(R record) implements Decoded<R> {}

  /** Bytes that this build cannot read: damaged, or of a later one ({@code min_reader}). */
  record Unreadable<R>(String reason) implements Decoded<R> {}
}
