package io.sippbx.event.cdr;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of the files of days gone by: compressed after some days, deleted after more. At
 * each moment at least one of a file and its compressed form is whole, and where both are there the
 * file counts. Used by one thread.
 *
 * @param retentionDays after which files are deleted; empty: never
 * @param compressAfterDays after which they are compressed; empty: never
 */
record CdrArchive(
    Path folder,
    CdrFileName fileName,
    ZoneId zone,
    Optional<Integer> retentionDays,
    Optional<Integer> compressAfterDays) {

  private static final Logger LOG = LoggerFactory.getLogger(CdrArchive.class);
  private static final String GZ = ".gz";
  private static final String NEW = ".new";

  /** Whether nothing is ever to be done. */
  boolean isIdle() {
    return retentionDays.isEmpty() && compressAfterDays.isEmpty();
  }

  /** Deletes and compresses what is due; a failure is told and tried again at the next time. */
  void sweep(Instant now) {
    LocalDate today = LocalDate.ofInstant(now, zone);
    Optional<LocalDate> oldest = retentionDays.map(today::minusDays);
    Optional<LocalDate> plain = compressAfterDays.map(today::minusDays);
    try {
      for (Path path : files()) {
        String name = String.valueOf(path.getFileName());
        boolean isCompressed = name.endsWith(GZ);
        Optional<LocalDate> day =
            fileName.day(isCompressed ? name.substring(0, name.length() - GZ.length()) : name);
        if (day.isEmpty() || !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          continue;
        }
        if (oldest.filter(day.get()::isBefore).isPresent()) {
          Files.delete(path);
          LOG.atInfo().addKeyValue("file", path).log("cdr.file_deleted");
        } else if (!isCompressed && plain.filter(day.get()::isBefore).isPresent()) {
          compress(path);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.atWarn().addKeyValue("folder", folder).setCause(e).log("cdr.retention_failed");
    }
  }

  private List<Path> files() throws IOException {
    var files = new ArrayList<Path>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      all.forEach(files::add);
    }
    return files;
  }

  private void compress(Path path) throws IOException {
    Path aside = with(path, GZ + NEW);
    try (FileChannel channel = create(aside);
        InputStream in = Files.newInputStream(path)) {
      var out = new GZIPOutputStream(Channels.newOutputStream(channel), 1 << 16);
      in.transferTo(out);
      out.finish();
      channel.force(true);
    }
    replace(aside, with(path, GZ));
    Files.delete(path);
    LOG.atInfo().addKeyValue("file", path).log("cdr.file_compressed");
  }

  /** Makes the file be there as it was, if there is only its compressed form. */
  void restore(String name) throws IOException {
    Path path = folder.resolve(name);
    Path compressed = with(path, GZ);
    if (Files.exists(path) || !Files.isRegularFile(compressed)) {
      return;
    }
    Path aside = with(path, NEW);
    try (FileChannel channel = create(aside);
        InputStream in = read(name)) {
      OutputStream out = Channels.newOutputStream(channel);
      in.transferTo(out);
      channel.force(true);
    }
    replace(aside, path);
    Files.delete(compressed);
    LOG.atInfo().addKeyValue("file", path).log("cdr.file_uncompressed");
  }

  /** Whether there is a compressed form. */
  boolean isCompressed(String name) {
    return Files.isRegularFile(with(folder.resolve(name), GZ));
  }

  /** What is in the file, or in its compressed form if that is all there is. */
  InputStream read(String name) throws IOException {
    Path path = folder.resolve(name);
    if (Files.isRegularFile(path)) {
      return Files.newInputStream(path);
    }
    InputStream compressed = Files.newInputStream(with(path, GZ));
    try {
      return new GZIPInputStream(compressed, 1 << 16);
    } catch (IOException e) {
      compressed.close();
      throw e;
    }
  }

  private static Path with(Path path, String ending) {
    return path.resolveSibling(path.getFileName() + ending);
  }

  private static FileChannel create(Path path) throws IOException {
    return FileChannel.open(
        path,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE);
  }

  private static void replace(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    CdrFile.forceFolder(to);
  }
}
