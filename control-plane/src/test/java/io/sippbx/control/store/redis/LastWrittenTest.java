package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.shared.identity.CallKey;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class LastWrittenTest {

  private final LastWritten written = new LastWritten();
  private final RecordCodec.Encoded octets =
      new RecordCodec.Encoded(ByteString.copyFromUtf8("head"));

  private static CallKey call(int number) {
    return CallKey.ofBytes(ByteBuffer.allocate(16).putInt(number).array());
  }

  @Test
  void knowsThatOfTheLastCommitOnly() {
    written.committed(call(1), new CommitId(1), octets);
    assertThat(written.of(call(1), new CommitId(1))).isEqualTo(octets);
    assertThat(written.of(call(1), new CommitId(2))).isNull();
    assertThat(written.of(call(2), new CommitId(1))).isNull();
  }

  @Test
  void forgetsWhatThisNodeHasNoMore() {
    written.committed(call(1), new CommitId(1), octets);
    written.forget(call(1));
    assertThat(written.of(call(1), new CommitId(1))).isNull();
    assertThat(written.size()).isZero();
  }

  @Test
  void forgetsTheOneThatWasLookedAtLongestAgo() {
    for (int i = 0; i <= LastWritten.LIMIT; i++) {
      written.committed(call(i), new CommitId(1), octets);
    }
    assertThat(written.size()).isEqualTo(LastWritten.LIMIT);
    assertThat(written.of(call(0), new CommitId(1))).isNull();
  }
}
