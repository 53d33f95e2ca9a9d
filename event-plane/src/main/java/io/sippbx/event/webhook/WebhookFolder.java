package io.sippbx.event.webhook;

import io.sippbx.shared.config.EventsConfig;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The folder of what is known of deliveries, kept from other processes until it is closed.
 *
 * @param path exists and can be written
 * @param notice why it is not the configured one, if it is not; for a warning in the log
 */
public record WebhookFolder(Path path, Optional<String> notice, FileChannel lock)
    implements AutoCloseable {

  private static final String LOCK = ".webhooks.lock";
  private static final String KEY = "events.webhook_dir";

  /**
   * The configured folder, made when it is not there; or, when nobody has configured it and it
   * cannot be written, another.
   *
   * @param otherwise for a process that a newcomer starts without rights; empty: none
   * @throws IOException if there is none that can be written; the message names the key
   */
  public static WebhookFolder open(EventsConfig.Records config, Optional<Path> otherwise)
      throws IOException {
    try {
      return new WebhookFolder(config.dir(), Optional.empty(), locked(config.dir()));
    } catch (IOException e) {
      if (!config.dirIsDefault() || otherwise.isEmpty()) {
        throw refused(config.dir(), e);
      }
      String notice =
          KEY
              + " is not set and its default "
              + config.dir()
              + " cannot be written: deliveries are noted in "
              + otherwise.get();
      try {
        return new WebhookFolder(otherwise.get(), Optional.of(notice), locked(otherwise.get()));
      } catch (IOException second) {
        second.addSuppressed(e);
        throw refused(otherwise.get(), second);
      }
    }
  }

  private static FileChannel locked(Path folder) throws IOException {
    Files.createDirectories(folder);
    FileChannel channel =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean isOurs = false;
    try {
      isOurs = isLocked(channel);
    } finally {
      if (!isOurs) {
        channel.close();
      }
    }
    if (!isOurs) {
      throw new IOException("another process writes there");
    }
    return channel;
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static IOException refused(Path folder, IOException cause) {
    return new IOException(
        KEY
            + " = "
            + folder
            + ": expected a folder that can be written and is of this process alone, but "
            + cause.getMessage(),
        cause);
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
