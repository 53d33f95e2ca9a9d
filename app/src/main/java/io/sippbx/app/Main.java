package io.sippbx.app;

import java.util.Optional;

/**
 * The one executable. Needs no library itself, so that it can say in one line that one is missing
 * or broken.
 */
public final class Main {

  private Main() {}

  /**
   * Runs a command; exits 0 when it did what it promises, 1 when not, 2 for a wrong command line.
   */
  public static void main(String[] args) throws InterruptedException {
    int code;
    try {
      Optional<NodeStart> plain = PlainCommandLine.read(args);
      code = plain.isPresent() ? run(plain.get()) : Cli.run(args);
    } catch (LinkageError e) {
      System.err.println(
          "sip-pbx: the build is incomplete or broken, build it again: "
              + e.getClass().getSimpleName()
              + ": "
              + e.getMessage());
      code = 1;
    }
    System.exit(code);
  }

  /** A defect is told as picocli tells those of its commands. */
  private static int run(NodeStart start) throws InterruptedException {
    try {
      return start.run();
    } catch (RuntimeException e) {
      e.printStackTrace();
      return 1;
    }
  }
}
