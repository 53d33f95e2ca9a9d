package io.sippbx.benchmarks.survival;

import io.sippbx.servers.LastingChild;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/** A process whose output goes to a file, and which does not outlive this one. */
final class ChildProcess implements AutoCloseable {

  private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(10);

  private final String name;
  private final Process process;
  private final Path log;
  private final CompletableFuture<Optional<String>> wanted = new CompletableFuture<>();
  private final Thread hook;

  private ChildProcess(String name, Process process, Path log, Predicate<String> line) {
    this.name = name;
    this.process = process;
    this.log = log;
    this.hook = new Thread(process::destroyForcibly, "ends " + name);
    Runtime.getRuntime().addShutdownHook(hook);
    Thread.ofPlatform().daemon().name("output of " + name).start(() -> read(line));
  }

  /**
   * Starts a process.
   *
   * @param within the start of the command, as of the network namespace that it is to be in
   * @param ready the line of its output that {@link #await} waits for
   */
  static ChildProcess start(
      String name, Path folder, List<String> within, List<String> command, Predicate<String> ready)
      throws IOException {
    var all = new ArrayList<>(within);
    if (Files.isExecutable(SETPRIV)) {
      // A driver that is killed leaves nothing behind either.
      all.addAll(List.of(SETPRIV.toString(), "--pdeathsig", "KILL", "--"));
    }
    all.addAll(command);
    Path log = folder.resolve(name + ".log");
    Process process =
        LastingChild.start(
            new ProcessBuilder(all)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile())));
    return new ChildProcess(name, process, log, ready);
  }

  private void read(Predicate<String> line) {
    try (var in =
            new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        Writer out =
            Files.newBufferedWriter(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      for (String next = in.readLine(); next != null; next = in.readLine()) {
        out.write(next + "\n");
        out.flush();
        if (line.test(next)) {
          wanted.complete(Optional.of(next));
        }
      }
    } catch (IOException e) {
      // The process was ended and its pipe closed: as good as the end of its output.
    } finally {
      wanted.complete(Optional.empty());
    }
  }

  /**
   * The line that says that it is ready.
   *
   * @throws IOException with the end of its output, if it ended or did not say so in time
   */
  String await(Duration atMost) throws IOException {
    try {
      Optional<String> line = wanted.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
      if (line.isPresent()) {
        return line.get();
      }
      throw new IOException(name + " ended:\n" + tail());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IOException(name, e);
    } catch (TimeoutException e) {
      throw new IOException(name + " was not ready within " + atMost + ":\n" + tail(), e);
    }
  }

  private String tail() {
    try {
      List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 30), lines.size()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGTERM. */
  void terminate() {
    // Not Process.destroy(), which closes the pipe of what it still has to say.
    process.toHandle().destroy();
  }

  /** Another signal, as {@code STOP}. */
  void signal(String signal) throws IOException {
    signal(signal, List.of(this));
  }

  /** The same to several, one right after the other. */
  static void signal(String signal, List<ChildProcess> processes) throws IOException {
    var command = new ArrayList<>(List.of("kill", "-" + signal));
    processes.forEach(each -> command.add("" + each.process.pid()));
    Process kill = new ProcessBuilder(command).start();
    try {
      if (kill.waitFor() != 0) {
        throw new IOException("failed: " + String.join(" ", command));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Of a process that has ended. */
  int exitCode() {
    return process.exitValue();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end; whether it ended. */
  boolean awaitEnd(Duration atMost) {
    try {
      return process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  Path log() {
    return log;
  }

  /** Ends it with SIGKILL. */
  @Override
  public void close() {
    process.destroyForcibly();
    if (!awaitEnd(ENDS_WITHIN)) {
      System.err.println(name + " did not end");
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // This process is ending: the hook runs now.
    }
  }
}
