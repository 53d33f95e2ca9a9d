package io.sippbx.benchmarks.survival;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * How tests and drivers start the executable: with what a virtual machine has learned of it in a
 * demonstration, as {@code ./sip-pbx} does. A fleet has half a dozen processes, and each starts in
 * two thirds of the time.
 */
public final class Executable {

  private static final int LEARNS_WITHIN_MIN = 3;
  private static final List<String> JAVA =
      List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "--sun-misc-unsafe-memory-access=allow",
          "-Xmx512m",
          "-XX:TieredStopAtLevel=1");

  private Executable() {}

  /**
   * The start of a command, before the role. The first call for an executable takes some seconds
   * more.
   *
   * @param app the folder of the executable
   * @param options further options of the virtual machine
   * @throws IOException if there is none, or the folder cannot be written
   */
  public static synchronized List<String> command(Path app, String... options) throws IOException {
    Path folder = app.toAbsolutePath();
    Path jar = folder.resolve("sip-pbx.jar");
    if (!Files.exists(jar)) {
      throw new IOException(jar + " is missing: build the executable first");
    }
    var command = new ArrayList<>(JAVA);
    command.addAll(List.of(options));
    Path cache = folder.resolve("tests.aot");
    if (isYounger(cache, jar) || learnOnce(cache, jar, folder)) {
      command.addAll(
          List.of(
              "-XX:AOTCache=" + cache,
              "-Xlog:aot=off",
              "-Xlog:cds=off",
              "-XX:+UnlockDiagnosticVMOptions",
              "-XX:ArchiveRelocationMode=0"));
    }
    command.addAll(List.of("-jar", jar.toString()));
    return command;
  }

  private static boolean isYounger(Path cache, Path jar) throws IOException {
    if (!Files.exists(cache)) {
      return false;
    }
    FileTime made = Files.getLastModifiedTime(cache);
    var read = new ArrayList<>(List.of(jar));
    try (Stream<Path> libraries = Files.list(jar.resolveSibling("lib"))) {
      libraries.forEach(read::add);
    }
    for (Path file : read) {
      if (Files.getLastModifiedTime(file).compareTo(made) >= 0) {
        return false;
      }
    }
    return true;
  }

  /** Of processes that begin at the same time one learns, and the others wait for it. */
  private static boolean learnOnce(Path cache, Path jar, Path folder) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve("tests.aot.lock"),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE)) {
      // Until the channel is closed.
      channel.lock();
      return isYounger(cache, jar) || learn(cache, jar, folder);
    }
  }

  /** Without it all works as well. */
  private static boolean learn(Path cache, Path jar, Path folder) throws IOException {
    Path begun = Files.createTempFile(folder, "tests", ".aot");
    var command = new ArrayList<>(JAVA);
    command.add("-XX:AOTCacheOutput=" + begun);
    command.addAll(List.of("-jar", jar.toString(), "demo", "--seconds=1", "--redis"));
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      boolean learned =
          process.waitFor(LEARNS_WITHIN_MIN, TimeUnit.MINUTES) && process.exitValue() == 0;
      if (learned) {
        Files.move(begun, cache, StandardCopyOption.ATOMIC_MOVE);
      }
      return learned;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      process.destroyForcibly();
      Files.deleteIfExists(begun);
    }
  }
}
