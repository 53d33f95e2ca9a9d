package io.sippbx.servers;

import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/** Says on standard output which real servers the tests of this JVM use, each once. */
public final class Announcement {

  private static final Set<String> SAID = new ConcurrentSkipListSet<>();

  private Announcement() {}

  /**
   * Says it.
   *
   * @param server as in "Redis"
   * @param which where it is from
   */
  public static void of(String server, String which) {
    String line = "real " + server + " of these tests: " + which;
    if (SAID.add(line)) {
      System.out.println(line);
    }
  }
}
