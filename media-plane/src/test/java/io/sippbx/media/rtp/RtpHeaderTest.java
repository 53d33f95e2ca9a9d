package io.sippbx.media.rtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("RTP header (RFC 3550 5.1)")
class RtpHeaderTest {

  @Test
  void readsEachFieldWhereverThePacketBegins() {
    byte[] packet = bytes("80e5fffe89abcdef12345678aabb");
    for (int at : new int[] {0, 1, 7}) {
      ByteBuffer buffer = ByteBuffer.allocate(at + packet.length + 3).put(at, packet);
      assertThat(RtpHeader.headerBytes(buffer, at, packet.length)).isEqualTo(12);
      assertThat(RtpHeader.payloadType(buffer, at)).isEqualTo(0x65);
      assertThat(RtpHeader.marker(buffer, at)).isTrue();
      assertThat(RtpHeader.sequenceNumber(buffer, at)).isEqualTo(65_534);
      assertThat(RtpHeader.timestamp(buffer, at)).isEqualTo(0x89abcdef);
      assertThat(RtpHeader.ssrc(buffer, at)).isEqualTo(0x12345678);
      assertThat(buffer.position()).isZero();
    }
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource({
    "'', -1, nothing",
    "80, -1, a byte",
    "8000" + "00000000000000000000" + ", 12, a header and no payload",
    "8000" + "000000000000000000" + ", -1, a byte less than a header",
    "0000" + "0000000000000000000000, -1, version 0",
    "4000" + "0000000000000000000000, -1, version 1",
    "c000" + "0000000000000000000000, -1, version 3",
    "a000" + "0000000000000000000000, 12, padding that may be encrypted",
    "8100" + "00000000000000000000 11111111, 16, a CSRC",
    "8100" + "00000000000000000000 111111, -1, a CSRC cut off",
    "8f00" + "00000000000000000000 11111111, -1, fifteen CSRCs cut off",
    "9000" + "00000000000000000000 bede0000, 16, an empty extension",
    "9000" + "00000000000000000000 bede00, -1, an extension header cut off",
    "9000" + "00000000000000000000 bede0001 11111111, 20, an extension",
    "9000" + "00000000000000000000 bede0001 111111, -1, an extension cut off",
    "9000" + "00000000000000000000 bedeffff 11111111, -1, an extension longer than UDP",
    "9100" + "00000000000000000000 11111111 bede0001 11111111 22, 24, all of it",
  })
  void saysHowLongTheHeaderIs(String hex, int expected, String what) {
    byte[] packet = bytes(hex);
    // longer memory behind the packet must not be looked at
    ByteBuffer buffer = ByteBuffer.allocate(packet.length + 64).put(0, packet);
    assertThat(RtpHeader.headerBytes(buffer, 0, packet.length)).as(what).isEqualTo(expected);
  }

  /** Random bytes, most with the version of RTP: never throws, and never says too much. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void neverReadsBehindThePacket(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      var bytes = new byte[random.nextInt(100)];
      random.nextBytes(bytes);
      if (bytes.length > 0 && random.nextInt(4) > 0) {
        bytes[0] = (byte) (bytes[0] & 0x3f | 0x80);
      }
      // a buffer that ends with the packet throws when it is read behind
      int header = RtpHeader.headerBytes(ByteBuffer.wrap(bytes), 0, bytes.length);
      assertThat(header).isBetween(-1, bytes.length);
      assertThat(header >= 0 && header < 12).isFalse();
    }
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }
}
