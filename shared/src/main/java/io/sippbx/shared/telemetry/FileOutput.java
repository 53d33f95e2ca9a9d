package io.sippbx.shared.telemetry;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A file that is appended to. It is opened anew when it was moved or deleted from outside (as
 * logrotate does), and, where a length is given, rotated when it would grow over it: {@code file}
 * becomes {@code file.1}, that {@code file.2}, and so on, the oldest is deleted.
 */
final class FileOutput implements Output {

  private static final int BUFFER_BYTES = 65_536;
  private static final long CHECK_NS = 1_000_000_000L;

  private final Path file;
  private final long maxBytes;
  private final int files;
  private final LongSupplier nanoTime;
  private @Nullable OutputStream stream;
  private @Nullable Object openedKey;
  private long length;
  private long checkedNs;
  private boolean torn;

  private FileOutput(Path file, long maxBytes, int files, LongSupplier nanoTime) {
    this.file = file;
    this.maxBytes = maxBytes;
    this.files = files;
    this.nanoTime = nanoTime;
  }

  /** A file that grows until someone else rotates it. Opens it, so that failing is seen at once. */
  static FileOutput growing(Path file) throws IOException {
    return open(new FileOutput(file, Long.MAX_VALUE, 1, System::nanoTime));
  }

  /**
   * A file that is rotated.
   *
   * @param maxBytes of one file; a single longer write goes into a file of its own
   * @param files kept, the current one among them
   */
  static FileOutput rotating(Path file, long maxBytes, int files, LongSupplier nanoTime)
      throws IOException {
    return open(new FileOutput(file, maxBytes, files, nanoTime));
  }

  private static FileOutput open(FileOutput output) throws IOException {
    output.opened();
    return output;
  }

  private OutputStream opened() throws IOException {
    if (stream == null) {
      Path parent = file.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      stream =
          new BufferedOutputStream(
              Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND),
              BUFFER_BYTES);
      var attributes = Files.readAttributes(file, BasicFileAttributes.class);
      openedKey = attributes.fileKey();
      length = attributes.size();
      checkedNs = nanoTime.getAsLong();
    }
    return stream;
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    if (length > 0 && length + bytes.length > maxBytes) {
      rotate();
    }
    OutputStream open = opened();
    try {
      if (torn) {
        open.write('\n');
        torn = false;
      }
      open.write(bytes);
      length += bytes.length;
    } catch (IOException e) {
      discard();
      throw e;
    }
  }

  @Override
  public void flush() throws IOException {
    if (stream != null) {
      try {
        stream.flush();
      } catch (IOException e) {
        // What is stuck in the buffer is given up: the next write begins with a fresh file handle.
        discard();
        throw e;
      }
    }
    long now = nanoTime.getAsLong();
    if (now - checkedNs >= CHECK_NS) {
      checkedNs = now;
      if (wasMoved()) {
        close();
      }
    }
  }

  private boolean wasMoved() throws IOException {
    try {
      Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
      return !Objects.equals(key, openedKey);
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  private void rotate() throws IOException {
    close();
    for (int i = files - 1; i >= 1; i--) {
      Path from = i == 1 ? file : numbered(i - 1);
      if (Files.exists(from)) {
        Files.move(from, numbered(i), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    if (files == 1) {
      Files.deleteIfExists(file);
    }
  }

  private Path numbered(int number) {
    return file.resolveSibling(file.getFileName() + "." + number);
  }

  private void discard() {
    OutputStream broken = stream;
    stream = null;
    torn = true;
    try {
      if (broken != null) {
        broken.close();
      }
    } catch (IOException e) {
      // It was broken before; its handle is closed all the same.
      length = 0;
    }
  }

  @Override
  public void close() throws IOException {
    OutputStream open = stream;
    stream = null;
    if (open != null) {
      open.close();
    }
  }
}
