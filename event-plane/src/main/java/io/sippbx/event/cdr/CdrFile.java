package io.sippbx.event.cdr;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A file of whole lines. What was appended is on the disk when {@link #append} returns; when that
 * fails, the file is to be closed and opened anew with {@link #torn}, which takes away what is
 * there of it. Used by one thread.
 */
final class CdrFile implements AutoCloseable {

  /** A record is shorter: where no line ends within this, it is not a record that was cut. */
  private static final int MAX_HALF_LINE = 1 << 20;

  private static final int BLOCK = 65_536;

  private final Path path;
  private final FileChannel channel;
  private final @Nullable Object key;
  private long length;

  private CdrFile(Path path, FileChannel channel, @Nullable Object key, long length) {
    this.path = path;
    this.channel = channel;
    this.key = key;
    this.length = length;
  }

  /**
   * What is known of a file whose last append failed: beyond {@code length} are lines that may or
   * may not be whole, and that are to be written again.
   */
  record Torn(Path path, @Nullable Object key, long length) {}

  /**
   * Opens or makes the file. A line that was cut by a crash is taken away: it was never
   * acknowledged.
   *
   * @param torn what was left by an append that failed
   * @param cut told how many bytes were taken away
   */
  static CdrFile open(Path path, @Nullable Torn torn, Consumer<Integer> cut) throws IOException {
    boolean isNew = !Files.exists(path);
    FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
      long size = channel.size();
      if (torn != null
          && torn.path().equals(path)
          && Objects.equals(torn.key(), key)
          && torn.length() < size) {
        channel.truncate(torn.length());
        size = torn.length();
      }
      long whole = wholeLines(channel, size);
      if (whole < size) {
        channel.truncate(whole);
        channel.force(false);
        cut.accept((int) (size - whole));
      } else if (size > 0 && !endsLine(channel, size)) {
        channel.write(ByteBuffer.wrap(new byte[] {'\n'}), size);
        whole = size + 1;
      }
      if (isNew) {
        forceFolder(path);
      }
      return new CdrFile(path, channel, key, whole);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean endsLine(FileChannel channel, long size) throws IOException {
    ByteBuffer last = ByteBuffer.allocate(1);
    channel.read(last, size - 1);
    return last.get(0) == '\n';
  }

  /** The length up to the end of the last whole line, or all of it where none is near. */
  private static long wholeLines(FileChannel channel, long size) throws IOException {
    long end = size;
    while (end > 0 && size - end < MAX_HALF_LINE) {
      int count = (int) Math.min(BLOCK, end);
      ByteBuffer block = ByteBuffer.allocate(count);
      readFully(channel, block, end - count);
      for (int i = count - 1; i >= 0; i--) {
        if (block.get(i) == '\n') {
          return end - count + i + 1;
        }
      }
      end -= count;
    }
    return end == 0 ? 0 : size;
  }

  private static void readFully(FileChannel channel, ByteBuffer into, long from)
      throws IOException {
    long position = from;
    while (into.hasRemaining()) {
      int count = channel.read(into, position);
      if (count < 0) {
        throw new IOException("the file became shorter while it was read");
      }
      position += count;
    }
  }

  /** A new name is on the disk only when its folder is. */
  static void forceFolder(Path path) throws IOException {
    Path folder = path.toAbsolutePath().getParent();
    if (folder == null) {
      return;
    }
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      if (Files.isDirectory(folder) && Files.exists(path)) {
        // Not every system lets a folder be forced; the file is there.
        return;
      }
      throw e;
    }
  }

  /** What is left of this file when an append has failed. */
  Torn torn() {
    return new Torn(path, key, length);
  }

  Path path() {
    return path;
  }

  /** Whether the name still leads to this file: it may have been moved or deleted from outside. */
  boolean isInPlace() throws IOException {
    try {
      return Objects.equals(Files.readAttributes(path, BasicFileAttributes.class).fileKey(), key);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Appends the lines and forces them to the disk. */
  void append(List<byte[]> lines) throws IOException {
    long total = lines.stream().mapToLong(line -> line.length).sum();
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(total));
    lines.forEach(all::put);
    all.flip();
    long position = length;
    while (all.hasRemaining()) {
      position += channel.write(all, position);
    }
    channel.force(false);
    length = position;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
