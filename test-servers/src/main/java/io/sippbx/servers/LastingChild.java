package io.sippbx.servers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Child processes that end with this one, however that ends, and not before.
 *
 * <p>The kernel's signal (PR_SET_PDEATHSIG) comes when the <em>thread</em> ends that made the
 * child: a worker of a pool that is no longer needed takes its children with it. So each is made by
 * a thread that lives as long as the child does.
 */
public final class LastingChild {

  private LastingChild() {}

  /**
   * What makes a child that is started with it end with this process: in front of a command, which
   * {@link #start} starts. More options, and then {@code --}, follow.
   */
  public static List<String> endsWithUs() {
    return List.of("setpriv", "--pdeathsig", "KILL");
  }

  /** Starts it. */
  public static Process start(ProcessBuilder builder) throws IOException {
    var started = new CompletableFuture<Process>();
    Thread.ofPlatform()
        .daemon()
        .name("parent of " + builder.command().getLast())
        .start(
            () -> {
              try {
                Process process = builder.start();
                started.complete(process);
                process.waitFor();
              } catch (IOException e) {
                started.completeExceptionally(e);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    try {
      return started.get();
    } catch (ExecutionException e) {
      throw new IOException(
          "cannot run " + new ArrayList<>(builder.command()) + ": " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
