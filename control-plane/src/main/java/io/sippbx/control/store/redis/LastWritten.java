package io.sippbx.control.store.redis;

import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the records of one loop's calls were written down when they were committed last, so that
 * neither the next commit nor who puts the call away need write them anew. The octets are those
 * that the call itself holds: what is no call of this node any more is to be forgotten. Lives on
 * its loop; of more calls than {@value #LIMIT} the one that was looked at longest ago is forgotten.
 */
final class LastWritten {

  static final int LIMIT = 4096;

  private record Known(CommitId commit, RecordCodec.Encoded octets) {}

  private final Map<CallKey, Known> known =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<CallKey, Known> eldest) {
          return size() > LIMIT;
        }
      };

  /** The record that this commit wrote; null: not known. */
  RecordCodec.@Nullable Encoded of(CallKey call, CommitId commit) {
    Known found = known.get(call);
    return found != null && found.commit().equals(commit) ? found.octets() : null;
  }

  void committed(CallKey call, CommitId commit, RecordCodec.Encoded octets) {
    known.put(call, new Known(commit, octets));
  }

  void forget(CallKey call) {
    known.remove(call);
  }

  int size() {
    return known.size();
  }
}
