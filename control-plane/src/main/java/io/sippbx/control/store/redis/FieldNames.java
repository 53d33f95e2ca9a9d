package io.sippbx.control.store.redis;

import io.sippbx.control.store.CommitId;
import io.sippbx.shared.identity.CallKey;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which fields the records of one loop's calls had when they were committed last, so that the next
 * commit need not write the former record anew to know. Lives on its loop; of more calls than
 * {@value #LIMIT} the one that was looked at longest ago is forgotten.
 */
final class FieldNames {

  static final int LIMIT = 4096;

  private record Known(CommitId commit, List<String> names) {}

  private final Map<CallKey, Known> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<CallKey, Known> eldest) {
          return size() > LIMIT;
        }
      };

  /** Those of the record that this commit wrote; null: not known. */
  @Nullable List<String> of(CallKey call, CommitId commit) {
    Known found = known.get(call);
    return found != null && found.commit().equals(commit) ? found.names() : null;
  }

  /**
   * @param names is copied: the keys of a map would hold on to all its values
   */
  void committed(CallKey call, CommitId commit, Collection<String> names) {
    known.put(call, new Known(commit, List.copyOf(names)));
  }

  /** The call has ended: it is hardly committed again. */
  void forget(CallKey call) {
    known.remove(call);
  }

  int size() {
    return known.size();
  }
}
