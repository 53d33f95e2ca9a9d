package io.sippbx.media.relay;

import java.nio.ByteBuffer;

/** RTP and RTCP datagrams for tests. */
final class Packets {

  static final int PCMU = 0;
  static final int PCMA = 8;

  private Packets() {}

  /** An RTP packet with a fixed header and {@code payloadBytes} bytes that tell the sequence. */
  static byte[] rtp(int payloadType, int ssrc, int sequence, int timestamp, int payloadBytes) {
    var packet = ByteBuffer.allocate(12 + payloadBytes);
    packet.put((byte) 0x80).put((byte) payloadType).putShort((short) sequence);
    packet.putInt(timestamp).putInt(ssrc);
    while (packet.hasRemaining()) {
      packet.put((byte) (sequence + packet.position()));
    }
    return packet.array();
  }

  /** 20 ms of G.711. */
  static byte[] audio(int ssrc, int sequence) {
    return rtp(PCMU, ssrc, sequence, 160 * sequence, 160);
  }

  /** A receiver report of one block. */
  static byte[] receiverReport(int sender, int about, int cumulativeLost, int jitterTicks) {
    var packet = ByteBuffer.allocate(32);
    packet.put((byte) 0x81).put((byte) 201).putShort((short) 7);
    packet.putInt(sender).putInt(about).putInt(cumulativeLost & 0xff_ffff);
    packet.putInt(4711).putInt(jitterTicks).putInt(0).putInt(0);
    return packet.array();
  }

  /** A DTLS 1.2 record of the handshake. */
  static byte[] dtls(int sequence, int payloadBytes) {
    var record = ByteBuffer.allocate(13 + payloadBytes);
    record.put((byte) 22).putShort((short) 0xfefd).putShort((short) 0);
    record.putShort((short) 0).putInt(sequence).putShort((short) payloadBytes);
    return record.array();
  }

  /** A STUN binding request without attributes. */
  static byte[] stun() {
    return ByteBuffer.allocate(20).putInt(0x0001_0000).putInt(0x2112_a442).array();
  }

  static int sequence(byte[] packet) {
    return ByteBuffer.wrap(packet).getShort(2) & 0xffff;
  }
}
