package io.sippbx.app;

import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.Role;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A node as its command line asks for it.
 *
 * @param role what its configuration is read for
 * @param planes what it holds
 * @param file the configuration file, if one was named
 * @param assignments values of the command line, the later over the earlier
 */
record NodeStart(Role role, Node.Planes planes, Optional<Path> file, List<Assignment> assignments) {

  NodeStart {
    assignments = List.copyOf(assignments);
  }

  /** Blocks until the process ends; the exit code where it could not be started. */
  int run() throws InterruptedException {
    return Running.run(ConfigLoader.load(role, file, System.getenv(), assignments), planes);
  }
}
