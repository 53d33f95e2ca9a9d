package io.sippbx.app.admin;

import java.time.Duration;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Waiting for a node that is drained to be empty. */
final class Emptying {

  private static final Duration LOOK = Duration.ofMillis(500);

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      defaultValue = "0",
      description = "Wait so long for it to be empty, 0 to 86400 (default: ${DEFAULT-VALUE}).")
  private int waitSeconds;

  /** How much it has still. */
  @FunctionalInterface
  interface Count {
    long left() throws AdminFailure;
  }

  /**
   * Waits.
   *
   * @param what it is that is counted, for people
   * @throws AdminFailure if it is not empty in time
   */
  void await(String what, Count count) throws AdminFailure {
    if (waitSeconds < 0 || waitSeconds > 86_400) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--wait = " + waitSeconds + ": expected 0 to 86400 seconds");
    }
    if (waitSeconds == 0) {
      return;
    }
    long deadlineNs = System.nanoTime() + Duration.ofSeconds(waitSeconds).toNanos();
    long left = count.left();
    while (left > 0) {
      if (System.nanoTime() - deadlineNs > 0) {
        throw new AdminFailure(
            AdminFailure.Kind.FAILED,
            "--wait = " + waitSeconds + ": there are " + left + " " + what + " still");
      }
      try {
        Thread.sleep(LOOK);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AdminFailure(AdminFailure.Kind.FAILED, "interrupted", e);
      }
      left = count.left();
    }
  }
}
