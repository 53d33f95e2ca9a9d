package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class OctetsTest {

  private static final byte[] ABC = {'a', 'b', 'c'};

  @Test
  void areThoseOfAnArrayThatTheyFill() {
    assertThat(Octets.shared(UnsafeByteOperations.unsafeWrap(ABC))).isSameAs(ABC);
  }

  @Test
  void areCopiedFromAnythingElse() {
    assertThat(Octets.shared(UnsafeByteOperations.unsafeWrap(ABC, 1, 2))).containsExactly('b', 'c');
    assertThat(Octets.shared(UnsafeByteOperations.unsafeWrap(ABC, 0, 2))).containsExactly('a', 'b');
    assertThat(Octets.shared(UnsafeByteOperations.unsafeWrap(ByteBuffer.wrap(ABC))))
        .containsExactly('a', 'b', 'c');
    ByteString joined = ByteString.copyFrom(new byte[200]).concat(ByteString.copyFrom(ABC));
    assertThat(Octets.shared(joined)).hasSize(203).endsWith('a', 'b', 'c');
    assertThat(Octets.shared(ByteString.EMPTY)).isEmpty();
  }
}
