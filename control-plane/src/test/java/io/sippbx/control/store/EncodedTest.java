package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.sippbx.control.store.RecordCodec.Encoded;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class EncodedTest {

  @Test
  void isTheSameAfterItWasInOneArray() {
    var fields = new TreeMap<String, ByteString>();
    fields.put("", ByteString.EMPTY);
    fields.put("a", ByteString.copyFromUtf8("a message"));
    fields.put("n\u00e4me\ud83d\ude00", ByteString.copyFrom(new byte[] {0, -1}));
    for (Encoded each :
        List.of(
            new Encoded(ByteString.EMPTY),
            new Encoded(ByteString.copyFromUtf8("head")),
            new Encoded(ByteString.copyFromUtf8("head"), fields))) {
      assertThat(Encoded.apart(each.together())).isEqualTo(each);
    }
  }

  @Test
  void takesNoMoreThanItHolds() {
    var fields = new TreeMap<String, ByteString>();
    fields.put("0123456789abcdef", ByteString.copyFrom(new byte[1000]));
    byte[] together = new Encoded(ByteString.copyFrom(new byte[100]), fields).together();
    assertThat(together).hasSize(4 + 100 + 4 + 16 + 4 + 1000);
  }
}
