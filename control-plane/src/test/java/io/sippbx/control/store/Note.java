package io.sippbx.control.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Collections;
import java.util.List;
import java.util.Map;
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
    public byte[] head(Note note) {
      return note.text().getBytes(UTF_8);
    }

    @Override
    public List<String> fields(Note note) {
      return List.copyOf(note.fields().keySet());
    }

    @Override
    public byte[] field(Note note, String name) {
      String content = note.fields().get(name);
      if (content == null) {
        throw new IllegalArgumentException("Expected a field of the note, but got " + name);
      }
      return content.getBytes(UTF_8);
    }

    @Override
    public Decoded<Note> decode(byte[] head, SortedMap<String, byte[]> fields) {
      String text = new String(head, UTF_8);
      if (text.equals(UNREADABLE)) {
        return new Unreadable<>("of a later build");
      }
      var read = new TreeMap<String, String>();
      for (Map.Entry<String, byte[]> each : fields.entrySet()) {
        read.put(each.getKey(), new String(each.getValue(), UTF_8));
      }
      return new Read<>(new Note(text, read));
    }
  }
}
