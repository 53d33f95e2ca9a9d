package io.sippbx.shared.config;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Section {@code cdr}.
 *
 * @param outputDirIsDefault whether nobody has configured {@code outputDir}: a standalone process
 *     then falls back to its data folder where it may not write
 * @param filenamePattern a file name with %Y, %m, %d and %H for the UTC time of a call's end
 * @param retentionDays after which files are deleted; empty: never
 * @param queueLength records that may wait for the disk
 */
public record CdrConfig(
    boolean enabled,
    Path outputDir,
    boolean outputDirIsDefault,
    String filenamePattern,
    Rotation rotation,
    Optional<Integer> retentionDays,
    int queueLength) {

  /** When a new file is begun, in UTC. */
  public enum Rotation {
    DAILY,
    HOURLY
  }
}
