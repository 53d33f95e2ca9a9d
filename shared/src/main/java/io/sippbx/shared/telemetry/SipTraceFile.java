package io.sippbx.shared.telemetry;

import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * A text file of SIP messages as they came and went, for people who look for an error. Any thread
 * hands messages over and never waits: what does not fit into the queue is dropped and counted.
 *
 * <pre>
 * 2025-01-05T10:15:30.123456Z RECEIVED UDP 192.0.2.1:5060 &lt;- 192.0.2.7:5060 412 bytes
 * INVITE sip:1008@pbx SIP/2.0
 * ...
 * ----
 * </pre>
 */
public final class SipTraceFile implements AutoCloseable {

  /** Messages that may wait for the disk. */
  static final int MAX_QUEUED = 8_192;

  private static final long MAX_QUEUED_BYTES = 32L << 20;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final byte[] END = "----\n".getBytes(StandardCharsets.US_ASCII);

  private final BoundedWriter writer;

  private SipTraceFile(BoundedWriter writer) {
    this.writer = writer;
  }

  /** Which way a message went, seen from this node. */
  public enum Direction {
    RECEIVED("<-"),
    SENT("->");

    private final String arrow;

    Direction(String arrow) {
      this.arrow = arrow;
    }
  }

  /**
   * Opens the file and appends to it.
   *
   * @param maxBytes after which the file is rotated
   * @param files kept, the current one among them
   * @throws IOException if the file cannot be opened; the message names the key
   */
  public static SipTraceFile open(Path file, long maxBytes, int files) throws IOException {
    try {
      var output = FileOutput.rotating(file, maxBytes, files, System::nanoTime);
      return new SipTraceFile(
          new BoundedWriter("sip-trace-writer", output, MAX_QUEUED, MAX_QUEUED_BYTES));
    } catch (IOException e) {
      throw new IOException(
          "sip.trace_file = " + file + ": expected a file that can be written", e);
    }
  }

  /**
   * Writes a message down. Its bytes are copied.
   *
   * @param protocol as in a Via: {@code UDP}, {@code TCP}
   * @param remote the other end, the sender of what was received
   */
  public void message(
      Instant time,
      Direction direction,
      String protocol,
      Endpoint local,
      Endpoint remote,
      byte[] message) {
    String head =
        TIME.format(time)
            + ' '
            + direction
            + ' '
            + protocol
            + ' '
            + local
            + ' '
            + direction.arrow
            + ' '
            + remote
            + ' '
            + message.length
            + " bytes\n";
    byte[] start = head.getBytes(StandardCharsets.US_ASCII);
    boolean endsLine = message.length > 0 && message[message.length - 1] == '\n';
    var bytes = new byte[start.length + message.length + (endsLine ? 0 : 1) + END.length];
    System.arraycopy(start, 0, bytes, 0, start.length);
    System.arraycopy(message, 0, bytes, start.length, message.length);
    if (!endsLine) {
      bytes[start.length + message.length] = '\n';
    }
    System.arraycopy(END, 0, bytes, bytes.length - END.length, END.length);
    writer.offer(bytes);
  }

  /** Messages that did not fit or could not be written. */
  public long dropped() {
    return writer.dropped() + writer.failed();
  }

  /** Messages written. */
  public long written() {
    return writer.written();
  }

  /** Writes what waits, for five seconds at most. */
  @Override
  public void close() {
    writer.close();
  }
}
