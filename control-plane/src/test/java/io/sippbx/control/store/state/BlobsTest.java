package io.sippbx.control.store.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.sippbx.proto.state.v1.Blob;
import java.util.HexFormat;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class BlobsTest {

  private static final long NAME = 0x0123456789abcdefL;

  private static Blobs of(String stored) {
    var octets = new TreeMap<String, ByteString>();
    octets.put(HexFormat.of().toHexDigits(NAME), ByteString.copyFromUtf8(stored));
    return Blobs.of(octets);
  }

  private static Blob blob() {
    return Blob.newBuilder().setId(NAME).build();
  }

  @Test
  void whatWasReadIsWrittenUnderItsNameAndNotDigestedAgain() {
    String request =
        """
        OPTIONS sip:a@192.0.2.1 SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
        Max-Forwards: 70
        From: <sip:a@192.0.2.1>;tag=a
        To: <sip:b@192.0.2.1>
        Call-ID: c
        CSeq: 1 OPTIONS
        Content-Length: 0

        """
            .replace("\n", "\r\n");
    assertThat(of(request).request(blob()).content().name()).isEqualTo(NAME);
    String description =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";
    assertThat(of(description).description(blob()).content().name()).isEqualTo(NAME);
    assertThat(of(description).description(blob()).content().octets().toStringUtf8())
        .isEqualTo(description);
  }
}
