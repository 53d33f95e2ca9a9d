package io.sippbx.event.webhook;

import io.sippbx.shared.telemetry.RateLimitedLog;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Dead letters in a file, a line each, for a process without Kafka. It is only added to: a line
 * that a crash has cut is passed over when it is read. When it is full it becomes the older one of
 * two, and the one that was that before is dropped.
 */
public final class DeadLetterFile implements DeadLetters, DeadLetterSource {

  /** Its name in the folder of webhooks. */
  public static final String NAME = "dead-letters.jsonl";

  /** The name of the one before. */
  public static final String OLDER = "dead-letters.old.jsonl";

  /** Octets of each of the two. */
  static final long MAX_FILE = 512L << 20;

  private static final int MAX_LINE = 1 << 20;

  private final Path file;
  private final Path older;
  private final long maxFile;
  private final RateLimitedLog limited =
      RateLimitedLog.of(LoggerFactory.getLogger(DeadLetterFile.class));
  private final List<Consumer<Boolean>> waiting = new ArrayList<>();
  private ByteArrayOutputStream lines = new ByteArrayOutputStream();

  /** In this folder, which exists. */
  public DeadLetterFile(Path folder) {
    this(folder, MAX_FILE);
  }

  DeadLetterFile(Path folder, long maxFile) {
    this.file = folder.resolve(NAME);
    this.older = folder.resolve(OLDER);
    this.maxFile = maxFile;
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
    try {
      makeRoom(octets.length + 1);
      add(octets);
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

  private void makeRoom(int octets) throws IOException {
    if (!Files.exists(file) || Files.size(file) == 0 || Files.size(file) + octets <= maxFile) {
      return;
    }
    boolean isLost = Files.exists(older);
    Files.move(file, older, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    if (isLost) {
      limited
          .at(Level.ERROR, "webhook.dead-letters-dropped")
          .addKeyValue("file", older)
          .addKeyValue("limit", maxFile)
          .log("webhook.dead-letters-dropped: the oldest, for there was no room for them");
    }
  }

  private void add(byte[] octets) throws IOException {
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
    // In this order: what becomes the older one meanwhile is read twice rather than not at all.
    try (InputStream now = opened(file);
        InputStream before = opened(older)) {
      read(before, reader);
      read(now, reader);
    }
  }

  private static InputStream opened(Path file) throws IOException {
    try {
      return new BufferedInputStream(Files.newInputStream(file));
    } catch (NoSuchFileException e) {
      return InputStream.nullInputStream();
    }
  }

  private static void read(InputStream in, Consumer<DeadLetter> reader) throws IOException {
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
