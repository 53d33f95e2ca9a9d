package io.sippbx.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the virtual machine has learned of the executable in a demonstration, as {@code ./sip-pbx}
 * has it: a system test starts a dozen processes, each of them in two thirds of the time.
 */
final class AotCache {

  private static final Duration LEARNS_WITHIN = Duration.ofMinutes(3);

  private AotCache() {}

  /**
   * The option by which a process uses it; none where it could not be made. Made once for an
   * executable.
   *
   * @param app the folder of the executable
   * @param java the program and the options of every process
   */
  static synchronized List<String> options(Path app, List<String> java) {
    Path cache = app.resolve("system-tests.aot");
    if (!isYounger(cache, app) && !learn(cache, app, java)) {
      return List.of();
    }
    return List.of("-XX:AOTCache=" + cache, "-Xlog:aot=off", "-Xlog:cds=off");
  }

  private static boolean isYounger(Path cache, Path app) {
    try (Stream<Path> libraries = Files.list(app.resolve("lib"))) {
      if (!Files.exists(cache)) {
        return false;
      }
      FileTime made = Files.getLastModifiedTime(cache);
      return Stream.concat(Stream.of(app.resolve("sip-pbx.jar")), libraries)
          .allMatch(file -> modified(file).compareTo(made) < 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean learn(Path cache, Path app, List<String> java) {
    Path begun = app.resolve("system-tests.aot.begun");
    var command = new ArrayList<>(java);
    command.add("-XX:AOTCacheOutput=" + begun);
    command.addAll(List.of("-jar", app.resolve("sip-pbx.jar").toString(), "demo", "--seconds=1"));
    try (Child child = Child.start("AOT cache", app, command)) {
      if (child.awaitExit(LEARNS_WITHIN) != 0) {
        return false;
      }
      Files.move(begun, cache, StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
