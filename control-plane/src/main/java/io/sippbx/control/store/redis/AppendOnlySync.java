package io.sippbx.control.store.redis;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Brings to the disk what a Redis has written to its append-only files. It could do so itself
 * ({@code appendfsync everysec}), but then, while the disk is slow, it answers before it has
 * written, for up to two seconds: what was answered would not survive its being killed. One thread.
 */
final class AppendOnlySync {

  /** Of Redis 7 and later: a folder of several files. */
  private static final String FOLDER = "appendonlydir";

  private static final String NAMES = "appendonly";

  private final Path data;
  private Map<Path, Written> synced = new TreeMap<>();

  /** How far a file has been written. */
  private record Written(long length, FileTime at) {}

  /**
   * @param data the folder in which Redis works
   */
  AppendOnlySync(Path data) {
    this.data = data;
  }

  /**
   * Brings what is new to the disk; blocks for as long as that takes.
   *
   * @return how many files had something new
   * @throws IOException if one could not be brought there; it is tried again the next time
   */
  int sync() throws IOException {
    int count = 0;
    Map<Path, Written> now = new TreeMap<>();
    for (Path folder : new Path[] {data, data.resolve(FOLDER)}) {
      if (!Files.isDirectory(folder)) {
        continue;
      }
      try (Stream<Path> all = Files.list(folder)) {
        for (Path file : all.filter(AppendOnlySync::isAppendOnly).toList()) {
          count += sync(file, now) ? 1 : 0;
        }
      }
    }
    synced = now;
    return count;
  }

  private static boolean isAppendOnly(Path file) {
    return file.getFileName().toString().startsWith(NAMES) && Files.isRegularFile(file);
  }

  private boolean sync(Path file, Map<Path, Written> now) throws IOException {
    try {
      BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
      var written = new Written(found.size(), found.lastModifiedTime());
      boolean isNew = !written.equals(synced.get(file));
      if (isNew) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.force(false);
        }
      }
      now.put(file, written);
      return isNew;
    } catch (NoSuchFileException e) {
      // Redis has put another in its place.
      return false;
    }
  }
}
