package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A record as it is stored.
 *
 * @param head changes with each commit
 * @param blobs by what their name holds; what has a name is never changed under it
 */
public record Encoded(ByteString head, SortedMap<Long, ByteString> blobs) {

  /** Copies the map. */
  public Encoded {
    blobs = Collections.unmodifiableSortedMap(new TreeMap<>(blobs));
  }
}
