package io.sippbx.event.webhook;

import io.sippbx.shared.telemetry.RateLimitedLog;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Dead letters in a file, a line each, for a process without Kafka. It is only added to: a line
 * that a crash has cut is passed over when it is read.
 */
public final class DeadLetterFile implements DeadLetters, DeadLetterSource {

  /** Its name in the folder of webhooks. */
  public static final String NAME = "dead-letters.jsonl";

  private static final int MAX_LINE = 1 << 20;

  private final Path file;
  private final RateLimitedLog limited =
      RateLimitedLog.of(LoggerFactory.getLogger(DeadLetterFile.class));
  private final List<Consumer<Boolean>> waiting = new ArrayList<>();
  private ByteArrayOutputStream lines = new ByteArrayOutputStream();

  /** In this folder, which exists. */
  public DeadLetterFile(Path folder) {
    this.file = folder.resolve(NAME);
  }

  @Override
  public void keep(DeadLetter letter, Consumer<Boolean> answer) {
    synchronized (waiting) {
      lines.writeBytes(letter.encode());
      lines.write('\n');
      waiting.add(answer);
    }
  }

  @Override
  public void flush() {
    byte[] octets;
    List<Consumer<Boolean>> told;
    boolean isKept;
    synchronized (waiting) {
      octets = lines.toByteArray();
      told = List.copyOf(waiting);
      waiting.clear();
      lines = new ByteArrayOutputStream();
      isKept = octets.length == 0 || append(octets);
    }
    told.forEach(answer -> answer.accept(isKept));
  }

  private boolean append(byte[] octets) {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      // What a crash has cut ends with this line, and is none.
      ByteBuffer all = ByteBuffer.allocate(octets.length + 1);
      if (!endsALine(channel.size())) {
        all.put((byte) '\n');
      }
      all.put(octets).flip();
      while (all.hasRemaining()) {
        channel.write(all);
      }
      channel.force(false);
      return true;
    } catch (IOException e) {
      limited
          .at(Level.ERROR, "webhook.dead-letter-not-kept")
          .addKeyValue("file", file)
          .addKeyValue("problem", e.toString())
          .log("webhook.dead-letter-not-kept");
      return false;
    }
  }

  private boolean endsALine(long size) throws IOException {
    if (size == 0) {
      return true;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      return channel.read(last, size - 1) != 1 || last.get(0) == '\n';
    }
  }

  @Override
  public void read(Range range, Consumer<DeadLetter> reader) throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      var line = new ByteArrayOutputStream();
      boolean isLong = false;
      for (int octet = in.read(); octet >= 0; octet = in.read()) {
        if (octet != '\n') {
          isLong |= line.size() >= MAX_LINE;
          if (!isLong) {
            line.write(octet);
          }
          continue;
        }
        if (!isLong) {
          DeadLetter.decode(line.toByteArray()).ifPresent(reader);
        }
        line.reset();
        isLong = false;
      }
    }
  }
}
