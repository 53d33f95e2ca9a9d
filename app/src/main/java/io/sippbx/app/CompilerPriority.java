package io.sippbx.app;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Lets the JVM's optimizing compiler compute with what calls and packets leave of the processors.
 * It takes a minute of CPU after a start, and again when a node does for the first time what an
 * overload asks of it: beside it, on one core, calls wait for as long as it has work.
 */
final class CompilerPriority {

  /** By which its niceness is higher than that of other threads: a tenth of their weight. */
  private static final int NICER = 10;

  private static final int NICEST = 19;

  /** As {@code comm} has it, which is cut to 15 characters. */
  private static final String NAME = "C2 CompilerThre";

  /** Of a thread's {@code stat}, counted from what follows its name. */
  private static final int NICENESS_AT = 16;

  private static final int PRIO_PROCESS = 0;

  private CompilerPriority() {}

  /**
   * Lowers it once, for the compiler's threads that there are; needs no privilege. Of use from any
   * thread.
   *
   * @return how many threads were lowered; 0 where there is no such compiler, the system is not
   *     Linux, or the JVM lets nobody call it ({@code --illegal-native-access=deny})
   */
  static int lower() {
    Path tasks = Path.of("/proc/self/task");
    if (!Files.isDirectory(tasks)) {
      return 0;
    }
    try (Stream<Path> threads = Files.list(tasks)) {
      List<Path> compilers = threads.filter(CompilerPriority::isCompiler).toList();
      if (compilers.isEmpty()) {
        return 0;
      }
      MethodHandle setPriority = setPriority();
      int lowered = 0;
      for (Path each : compilers) {
        lowered += lower(each, setPriority) ? 1 : 0;
      }
      return lowered;
    } catch (IOException | UncheckedIOException | LinkageError | IllegalCallerException e) {
      return 0;
    }
  }

  private static boolean isCompiler(Path thread) {
    try {
      return Files.readString(thread.resolve("comm")).strip().equals(NAME);
    } catch (IOException e) {
      // It has ended.
      return false;
    }
  }

  private static boolean lower(Path thread, MethodHandle setPriority) throws IOException {
    int niceness = Math.min(NICEST, niceness(thread) + NICER);
    int id = Integer.parseInt(thread.getFileName().toString());
    try {
      return (int) setPriority.invokeExact(PRIO_PROCESS, id, niceness) == 0;
    } catch (Throwable t) {
      throw new AssertionError("setpriority throws nothing", t);
    }
  }

  /** From -20, which others wait for most, to 19. */
  private static int niceness(Path thread) throws IOException {
    String stat = Files.readString(thread.resolve("stat"));
    return Integer.parseInt(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[NICENESS_AT]);
  }

  private static MethodHandle setPriority() {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow("setpriority"),
        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }
}
