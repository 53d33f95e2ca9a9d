package io.sippbx.media.rtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("RTCP (RFC 3550 6, RFC 5761 4)")
class RtcpTest {

  private static final String SENDER_INFO = "0102030405060708 0000a000 00000064 00003e80";
  private static final String BLOCK_1 = "0000000b 40fffffe 00010005 0000002a 00000000 00000000";
  private static final String BLOCK_2 = "0000000c 00000007 00010005 ffffffff 00000000 00000000";
  private static final String SR_WITH_2 =
      "82c80012 0000000a " + SENDER_INFO + " " + BLOCK_1 + " " + BLOCK_2;
  private static final String RR_WITH_1 = "81c90007 0000000a " + BLOCK_1;
  private static final String SDES = "81ca0003 0000000a 0103616263000000";
  private static final String BYE = "81cb0001 0000000a";

  @ParameterizedTest
  @CsvSource({"191,false", "192,true", "200,true", "223,true", "224,false", "0,false", "128,false"})
  void tellsRtcpFromRtpByItsSecondByte(int second, boolean isRtcp) {
    ByteBuffer buffer = ByteBuffer.wrap(new byte[] {(byte) 0x80, (byte) second});
    assertThat(Rtcp.isRtcpByDemux(buffer, 0, 2)).isEqualTo(isRtcp);
    assertThat(Rtcp.isRtcpByDemux(buffer, 0, 1)).isFalse();
  }

  @ParameterizedTest(name = "{2}")
  @CsvSource({
    "'', false, nothing",
    "80c90001, false, a header without SSRC",
    "80c90000, false, a packet of 4 bytes",
    "80c90001 00000001, true, an empty receiver report",
    "80c90002 00000001, false, a packet cut off",
    "40c90001 00000001, false, version 1",
    "80000001 00000001, false, RTP",
    "81cd0002 00000001 00000002, true, feedback alone: RFC 5506",
    "80c90001 00000001 deadbeef 55, true, an encrypted rest: RFC 3711",
  })
  void judgesADatagramByItsFirstPacket(String hex, boolean valid, String what) {
    ByteBuffer buffer = buffer(hex);
    assertThat(Rtcp.isValid(buffer, 0, buffer.capacity())).as(what).isEqualTo(valid);
  }

  @Test
  void readsReceptionReportsOfSenderAndReceiverReports() {
    ByteBuffer buffer = buffer(SR_WITH_2);
    int end = buffer.capacity();
    assertThat(Rtcp.packetType(buffer, 0)).isEqualTo(Rtcp.SENDER_REPORT);
    assertThat(Rtcp.senderSsrc(buffer, 0, end)).isEqualTo(10);
    assertThat(Rtcp.reports(buffer, 0, end)).isEqualTo(2);
    int first = Rtcp.report(buffer, 0, 0);
    assertThat(Rtcp.reportedSsrc(buffer, first)).isEqualTo(11);
    assertThat(Rtcp.fractionLost(buffer, first)).isEqualTo(0x40);
    assertThat(Rtcp.cumulativeLost(buffer, first)).isEqualTo(-2);
    assertThat(Rtcp.reportedJitterTicks(buffer, first)).isEqualTo(42);
    int second = Rtcp.report(buffer, 0, 1);
    assertThat(Rtcp.reportedSsrc(buffer, second)).isEqualTo(12);
    assertThat(Rtcp.fractionLost(buffer, second)).isZero();
    assertThat(Rtcp.cumulativeLost(buffer, second)).isEqualTo(7);
    assertThat(Rtcp.reportedJitterTicks(buffer, second)).isEqualTo(0xffff_ffffL);
    ByteBuffer receiver = buffer(RR_WITH_1);
    assertThat(Rtcp.reports(receiver, 0, receiver.capacity())).isEqualTo(1);
    assertThat(Rtcp.reportedSsrc(receiver, Rtcp.report(receiver, 0, 0))).isEqualTo(11);
  }

  @Test
  void countsOnlyReportsThatAreWhole() {
    // says three blocks and has room for one and a half
    ByteBuffer buffer = buffer("83c9000a 0000000a " + BLOCK_1 + " 0000000c 00000007 00010005");
    assertThat(Rtcp.reports(buffer, 0, buffer.capacity())).isEqualTo(1);
    // a sender report without its sender's part
    ByteBuffer cut = buffer("81c80001 0000000a");
    assertThat(Rtcp.reports(cut, 0, cut.capacity())).isZero();
    ByteBuffer bye = buffer(BYE);
    assertThat(Rtcp.reports(bye, 0, bye.capacity())).isZero();
  }

  @Test
  void walksACompoundDatagram() {
    assertThat(types(SR_WITH_2 + SDES + BYE)).containsExactly(200, 202, 203);
    assertThat(types(SR_WITH_2 + SDES + "81cb0002 0000000a")).containsExactly(200, 202);
    assertThat(types(RR_WITH_1 + "00")).containsExactly(201);
    assertThat(types("")).isEmpty();
  }

  private static List<Integer> types(String hex) {
    ByteBuffer buffer = buffer(hex);
    int end = buffer.capacity();
    var types = new ArrayList<Integer>();
    for (int packet = Rtcp.first(buffer, 0, end);
        packet >= 0;
        packet = Rtcp.next(buffer, packet, end)) {
      types.add(Rtcp.packetType(buffer, packet));
    }
    return types;
  }

  /** Random bytes that look like RTCP: each walk ends, within the datagram, without throwing. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void neverReadsBehindTheDatagram(long seed) {
    var random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      var bytes = new byte[random.nextInt(120)];
      random.nextBytes(bytes);
      for (int at = 0; at + 3 < bytes.length; at += 4 * (1 + random.nextInt(8))) {
        bytes[at] = (byte) (0x80 | random.nextInt(0x40));
        bytes[at + 1] = (byte) (198 + random.nextInt(8));
        bytes[at + 2] = 0;
        bytes[at + 3] = (byte) random.nextInt(12);
      }
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      int end = bytes.length;
      int packets = 0;
      for (int packet = Rtcp.first(buffer, 0, end);
          packet >= 0;
          packet = Rtcp.next(buffer, packet, end)) {
        packets++;
        Rtcp.senderSsrc(buffer, packet, end);
        for (int r = 0; r < Rtcp.reports(buffer, packet, end); r++) {
          int report = Rtcp.report(buffer, packet, r);
          assertThat(report + 24).isLessThanOrEqualTo(end);
        }
      }
      assertThat(packets).isLessThanOrEqualTo(bytes.length / 4);
    }
  }

  private static ByteBuffer buffer(String hex) {
    return ByteBuffer.wrap(HexFormat.of().parseHex(hex.replace(" ", "")));
  }
}
