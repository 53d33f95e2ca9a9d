package io.sippbx.event.cdr;

import io.sippbx.shared.config.CdrConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where records are written.
 *
 * @param path exists and can be written
 * @param notice why it is not the configured one, if it is not; for a warning in the log
 */
public record CdrFolder(Path path, Optional<String> notice) {

  /**
   * The configured folder, made when it is not there; or, when nobody has configured it and it
   * cannot be written, another.
   *
   * @param otherwise for a process that a newcomer starts without rights; empty: none
   * @throws IOException if there is none that can be written; the message names the key
   */
  public static CdrFolder choose(CdrConfig config, Optional<Path> otherwise) throws IOException {
    try {
      return new CdrFolder(prepared(config.outputDir()), Optional.empty());
    } catch (IOException e) {
      if (!config.outputDirIsDefault() || otherwise.isEmpty()) {
        throw refused(config.outputDir(), e);
      }
      try {
        return new CdrFolder(
            prepared(otherwise.get()),
            Optional.of(
                "cdr.output_dir is not set and its default "
                    + config.outputDir()
                    + " cannot be written ("
                    + reason(e)
                    + "): CDRs are in "
                    + otherwise.get()));
      } catch (IOException second) {
        second.addSuppressed(e);
        throw refused(otherwise.get(), second);
      }
    }
  }

  private static Path prepared(Path folder) throws IOException {
    Files.createDirectories(folder);
    // Asking for permissions tells less than trying: read-only mounts, full disks, ACLs.
    Path probe = Files.createTempFile(folder, ".cdr-", ".probe");
    Files.delete(probe);
    return folder;
  }

  private static IOException refused(Path folder, IOException cause) {
    return new IOException(
        "cdr.output_dir = "
            + folder
            + ": expected a folder that can be written, but "
            + reason(cause),
        cause);
  }

  private static String reason(IOException e) {
    String kind =
        switch (e) {
          case java.nio.file.AccessDeniedException _ -> "access is denied to ";
          case java.nio.file.FileAlreadyExistsException _ -> "there is no folder but a file at ";
          default -> "";
        };
    return kind + e.getMessage();
  }
}
