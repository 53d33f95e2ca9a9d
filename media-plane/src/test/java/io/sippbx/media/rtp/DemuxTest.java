package io.sippbx.media.rtp;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.rtp.Demux.Form;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("RFC 7983: what shares a port with RTP")
class DemuxTest {

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "STUN binding request,        000100002112a442000102030405060708090a0b, STUN",
    "STUN without its cookie,     000100002112a443000102030405060708090a0b, OTHER",
    "STUN cut off,                000100002112a442000102030405060708090a, OTHER",
    "first byte 4,                040100002112a442000102030405060708090a0b, OTHER",
    "ZRTP,                        1000000000000000000000000000000000000000, OTHER",
    "DTLS 1.0 handshake,          16feff00000000000000000001aa, DTLS",
    "DTLS 1.2 alert,              15fefd00010000000000010002aabb, DTLS",
    "DTLS two records,            14fefd0000000000000001000101"
        + "14fefd0000000000000002000101, DTLS",
    "DTLS record cut off,         16fefd00000000000000000002aa, OTHER",
    "DTLS header cut off,         16fefd000000000000000000, OTHER",
    "TLS over UDP,                160301000000000000000000000000, OTHER",
    "DTLS 1.2 with connection id, 19fefd0001000000000001aabbccdd0001ff, DTLS",
    "DTLS 1.3 unified header,     2f0001001000112233445566778899aabbccddeeff, DTLS",
    "DTLS 1.3 too short,          200100112233445566778899aabbccddee, OTHER",
    "TURN channel,                4000000000000000000000000000000000000000, OTHER",
    "RTP,                         80000001, RTP",
    "RTP with everything,         bfff0001, RTP",
    "first byte 192,              c0000001, OTHER",
    "first byte 127,              7f000001, OTHER",
  })
  void isToldByTheFirstByteAndMore(String name, String hex, Form form) {
    byte[] datagram = HexFormat.of().parseHex(hex);
    // somewhere in a larger buffer
    var buffer = ByteBuffer.allocate(datagram.length + 7).put(7, datagram);
    assertThat(Demux.of(buffer, 7, datagram.length)).as(name).isEqualTo(form);
    assertThat(buffer.position()).isZero();
  }

  @Test
  void neverReadsBehindTheDatagram() {
    var random = new Random(1);
    for (int i = 0; i < 100_000; i++) {
      byte[] datagram = new byte[random.nextInt(24)];
      random.nextBytes(datagram);
      assertThat(Demux.of(ByteBuffer.wrap(datagram), 0, datagram.length)).isNotNull();
    }
  }
}
