package io.sippbx.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The threads of a process, as Linux tells of them. */
final class Tasks {

  private static final int NICENESS_AT = 16;

  private Tasks() {}

  /** Their names, of which the system keeps 15 characters. */
  static List<String> names(Child process) {
    return stats(process).stream()
        .map(stat -> stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')')))
        .toList();
  }

  /** The niceness of each whose name begins so. */
  static List<Integer> niceness(Child process, String name) {
    return stats(process).stream()
        .filter(stat -> stat.contains(" (" + name))
        .map(stat -> stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[NICENESS_AT])
        .map(Integer::valueOf)
        .toList();
  }

  private static List<String> stats(Child process) {
    Path tasks = Path.of("/proc", process.pid(), "task");
    var stats = new ArrayList<String>();
    try (Stream<Path> all = Files.list(tasks)) {
      for (Path task : all.toList()) {
        try {
          stats.add(Files.readString(task.resolve("stat")).strip());
        } catch (NoSuchFileException ended) {
          // It was one a moment ago.
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return stats;
  }
}
