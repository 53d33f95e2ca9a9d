package io.sippbx.control.carried;

import com.google.protobuf.ByteString;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a newer node wrote into a stored record and this one does not know. Nothing here looks into
 * it: it is written again at its place.
 *
 * @param fields by their place in the stored record
 */
public record Carried(SortedMap<String, ByteString> fields) {

  /** Nothing unknown. */
  public static final Carried NOTHING = new Carried(Collections.emptySortedMap());

  /** Copies {@code fields}. */
  public Carried {
    fields = Collections.unmodifiableSortedMap(new TreeMap<>(fields));
  }
}
