package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.CommitId;
import io.sippbx.shared.identity.CallKey;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FieldNamesTest {

  private final FieldNames names = new FieldNames();

  private static CallKey call(int number) {
    return CallKey.ofBytes(ByteBuffer.allocate(16).putInt(number).array());
  }

  @Test
  void knowsThoseOfTheLastCommitOnly() {
    names.committed(call(1), new CommitId(1), List.of("a", "b"));
    assertThat(names.of(call(1), new CommitId(1))).containsExactly("a", "b");
    assertThat(names.of(call(1), new CommitId(2))).isNull();
    assertThat(names.of(call(2), new CommitId(1))).isNull();
  }

  /** Messages that a call has had would stay in memory with it, long after it has ended. */
  @Test
  void holdsOnToNothingButTheNames() {
    var record = new TreeMap<String, byte[]>();
    record.put("a", new byte[1000]);
    names.committed(call(1), new CommitId(1), record.keySet());
    record.clear();
    assertThat(names.of(call(1), new CommitId(1))).containsExactly("a");
  }

  @Test
  void forgetsTheOneThatWasLookedAtLongestAgo() {
    for (int i = 0; i <= FieldNames.LIMIT; i++) {
      names.committed(call(i), new CommitId(1), List.of("a"));
    }
    assertThat(names.size()).isEqualTo(FieldNames.LIMIT);
    assertThat(names.of(call(0), new CommitId(1))).isNull();
  }
}
