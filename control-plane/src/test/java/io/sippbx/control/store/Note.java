package io.sippbx.control.store;

import com.google.protobuf.ByteString;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/** A record for tests of stores: a text that changes, and others by name that do not. */
record Note(String text, SortedMap<String, String> fields) {

  Note {
    fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
  }

  Note(String text) {
    this(text, new TreeMap<>());
  }

  /** This and a field. */
  Note with(String name, String content) {
    var more = new TreeMap<>(fields);
    more.put(name, content);
    return new Note(text, more);
  }

  /** How notes are stored; a text of {@value #UNREADABLE} is not. */
  static final class Codec implements RecordCodec<Note> {

    static final String UNREADABLE = "unreadable";

    @Override
    public Encoded encode(Note note) {
      var fields = new TreeMap<String, ByteString>();
      note.fields().forEach((name, content) -> fields.put(name, ByteString.copyFromUtf8(content)));
      return new Encoded(ByteString.copyFromUtf8(note.text()), fields);
    }

    @Override
    public Decoded<Note> decode(Encoded stored) {
      String text = stored.head().toStringUtf8();
      if (text.equals(UNREADABLE)) {
        return new TooNew<>(9);
      }
      var read = new TreeMap<String, String>();
      stored.fields().forEach((name, content) -> read.put(name, content.toStringUtf8()));
      return new Read<>(new Note(text, read));
    }
  }
}
