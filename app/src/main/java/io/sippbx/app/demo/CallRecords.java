package io.sippbx.app.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Reads the CDRs that the node has written. */
final class CallRecords {

  private final Path folder;

  CallRecords(Path folder) {
    this.folder = folder;
  }

  /**
   * Waits for the first whole line.
   *
   * @return all lines; none if there was none in time
   */
  List<String> await(Duration atMost) throws DemoFailure, InterruptedException {
    try {
      Waiting.until(() -> !lines().isEmpty(), atMost);
      return lines();
    } catch (UncheckedIOException e) {
      throw new DemoFailure("The CDRs cannot be read: " + e.getMessage(), e);
    }
  }

  private List<String> lines() {
    var lines = new ArrayList<String>();
    if (!Files.isDirectory(folder)) {
      return lines;
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".jsonl")).sorted().toList()) {
        String text = Files.readString(file);
        // What has no end of line yet is still being written.
        lines.addAll(text.substring(0, text.lastIndexOf('\n') + 1).lines().toList());
      }
      return lines;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
