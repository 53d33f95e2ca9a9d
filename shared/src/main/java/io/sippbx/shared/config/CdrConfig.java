package io.sippbx.shared.config;

import java.nio.file.Path;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;

/**
 * Section {@code cdr}.
 *
 * @param outputDirIsDefault whether nobody has configured {@code outputDir}: a standalone process
 *     then falls back to its data folder where it may not write
 * @param filenamePattern a file name with %Y, %m, %d and %H for the time of a call's end in {@code
 *     zone}
 * @param zone in which days begin
 * @param compressAfterDays after which files are compressed; empty: never
 * @param retentionDays after which files are deleted; empty: never
 * @param queueLength records that may wait for the disk
 * @param kafkaPartitions from which this process makes records; empty: all
 * @param postgres a database that gets them too
 */
public record CdrConfig(
    boolean enabled,
    Path outputDir,
    boolean outputDirIsDefault,
    String filenamePattern,
    Rotation rotation,
    ZoneId zone,
    Optional<Integer> compressAfterDays,
    Optional<Integer> retentionDays,
    int queueLength,
    List<Integer> kafkaPartitions,
    Optional<Postgres> postgres) {

  /** Copies {@code kafkaPartitions}. */
  public CdrConfig {
    kafkaPartitions = List.copyOf(kafkaPartitions);
  }

  /**
   * A database.
   *
   * @param url as JDBC has it
   */
  public record Postgres(
      String url, Optional<String> username, Optional<Secret<String>> password) {}

  /** When a new file is begun. */
  public enum Rotation {
    DAILY,
    HOURLY
  }
}
