package io.sippbx.event.cdr;

import io.sippbx.event.cdr.CdrLine.Recorded;
import io.sippbx.proto.event.v1.CallEvent;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Which calls have a record. Of the latest this is known by heart, read back from the files at the
 * start; for one that may have been forgotten the file where its record belongs is looked into.
 * Used by one thread.
 */
final class KnownCalls {

  private static final int READ_BACK_HOURS = 24;

  /** Calls of one file that are known by heart while events for it come late. */
  private static final int MAX_OF_FILE = 1_000_000;

  private static final int BUFFER = 1 << 17;

  private final CdrArchive archive;
  private final CdrFileName fileName;
  private final RecentCalls recent;

  /** All calls of one file. */
  private final Set<String> ofFile = new HashSet<>();

  private String file = "";

  /**
   * Knows none yet.
   *
   * @param capacity calls known by heart
   */
  KnownCalls(CdrArchive archive, CdrFileName fileName, int capacity) {
    this.archive = archive;
    this.fileName = fileName;
    this.recent = new RecentCalls(capacity);
  }

  /** Learns the calls of the last day. */
  void readBack(Instant now) throws IOException {
    recent.completeFrom(now.minus(Duration.ofHours(READ_BACK_HOURS)));
    var names = new LinkedHashSet<String>();
    for (int hours = READ_BACK_HOURS; hours >= 0; hours--) {
      names.add(fileName.at(now.minus(Duration.ofHours(hours))));
    }
    for (String name : names) {
      forEachCall(name, each -> recent.add(each.callKey(), each.end()));
    }
  }

  /** Whether it is known by heart that the call has a record. */
  boolean contains(String callKey) {
    return recent.contains(callKey);
  }

  /** Takes out the calls that have a record in this file, though it is not known by heart. */
  void forgetRecorded(String name, Map<String, CallEvent> fresh) throws IOException {
    boolean isSure =
        fresh.values().stream().allMatch(event -> recent.isCompleteAt(CdrLine.endTime(event)));
    if (isSure) {
      return;
    }
    if (!name.equals(file)) {
      file = "";
      ofFile.clear();
      forEachCall(
          name,
          each -> {
            if (ofFile.size() < MAX_OF_FILE) {
              ofFile.add(each.callKey());
            }
          });
      file = name;
    }
    if (ofFile.size() >= MAX_OF_FILE) {
      var recorded = new HashSet<String>();
      forEachCall(
          name,
          each -> {
            if (fresh.containsKey(each.callKey())) {
              recorded.add(each.callKey());
            }
          });
      fresh.keySet().removeAll(recorded);
    } else {
      fresh.keySet().removeAll(ofFile);
    }
  }

  /** These have a record in this file now. */
  void added(String name, Map<String, CallEvent> written) {
    written.forEach((call, event) -> recent.add(call, CdrLine.endTime(event)));
    if (name.equals(file) && ofFile.size() < MAX_OF_FILE) {
      ofFile.addAll(written.keySet());
    }
  }

  private void forEachCall(String name, Consumer<Recorded> seen) throws IOException {
    Path path = archive.folder().resolve(name);
    if (!Files.isRegularFile(path) && !archive.isCompressed(name)) {
      return;
    }
    try (InputStream in = archive.read(name)) {
      byte[] buffer = new byte[BUFFER];
      int filled = 0;
      int count = in.read(buffer, 0, buffer.length);
      while (count >= 0) {
        filled += count;
        int start = 0;
        for (int i = filled - count; i < filled; i++) {
          if (buffer[i] == '\n') {
            CdrLine.recorded(buffer, start, i - start).ifPresent(seen);
            start = i + 1;
          }
        }
        // A line as long as the buffer is none of ours: skipped, bit by bit.
        filled = start == 0 && filled == buffer.length ? 0 : filled - start;
        System.arraycopy(buffer, start, buffer, 0, filled);
        count = in.read(buffer, filled, buffer.length - filled);
      }
    }
  }
}
