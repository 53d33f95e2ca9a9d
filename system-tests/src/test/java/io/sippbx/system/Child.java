package io.sippbx.system;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A child process whose output is kept, and which does not outlive its handle. */
final class Child implements AutoCloseable {

  private static final int KEPT_LINES = 20_000;

  private final String name;
  private final Process process;
  private final Thread reader;
  private final List<String> lines = new ArrayList<>();
  private boolean isEnded;

  private Child(String name, Process process) {
    this.name = name;
    this.process = process;
    this.reader =
        Thread.ofPlatform()
            .daemon()
            .name("output of " + name)
            .start(() -> read(process.getInputStream()));
  }

  static Child start(String name, Path folder, List<String> command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .start();
      return new Child(name, process);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read(InputStream output) {
    try (var in = new BufferedReader(new InputStreamReader(output, StandardCharsets.ISO_8859_1))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        synchronized (lines) {
          if (lines.size() < KEPT_LINES) {
            lines.add(line);
          }
          lines.notifyAll();
        }
      }
    } catch (IOException e) {
      // The process was ended and its pipe closed: as good as the end of its output.
    } finally {
      synchronized (lines) {
        isEnded = true;
        lines.notifyAll();
      }
    }
  }

  /** The first line of its output that is wanted; empty if it ended without one. */
  Optional<String> awaitLine(Predicate<String> wanted, Duration within) {
    long deadlineNs = System.nanoTime() + within.toNanos();
    int seen = 0;
    synchronized (lines) {
      while (true) {
        for (; seen < lines.size(); seen++) {
          if (wanted.test(lines.get(seen))) {
            return Optional.of(lines.get(seen));
          }
        }
        long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
        if (isEnded || leftMs <= 0) {
          return Optional.empty();
        }
        try {
          lines.wait(leftMs);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          return Optional.empty();
        }
      }
    }
  }

  /**
   * Its exit code.
   *
   * @throws AssertionError if it has not ended in time
   */
  int awaitExit(Duration within) {
    try {
      if (!process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError(name + " has not ended within " + within + ":\n" + tail());
      }
      reader.join(TimeUnit.SECONDS.toMillis(5));
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Asks it to end (SIGTERM). */
  void terminate() {
    // Not Process.destroy(), which closes the pipe of what it still has to say.
    process.toHandle().destroy();
  }

  /** Ends it at once (SIGKILL). */
  void kill() {
    process.toHandle().destroyForcibly();
  }

  /** Stops it where it is, as SIGSTOP does, or lets it go on. */
  void pause(boolean paused) {
    try {
      var kill = new ProcessBuilder("kill", paused ? "-STOP" : "-CONT", pid()).start();
      if (kill.waitFor() != 0) {
        throw new AssertionError("kill could not signal " + name);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  String pid() {
    return Long.toString(process.pid());
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** All that it wrote. */
  String output() {
    synchronized (lines) {
      return String.join("\n", lines);
    }
  }

  /** The last that it wrote. */
  String tail() {
    synchronized (lines) {
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
