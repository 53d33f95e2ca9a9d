package io.sippbx.app.demo;

import java.util.ArrayList;
import java.util.List;

/** What was found right and what wrong, in the order in which it was looked at. */
final class Checks {

  /**
   * One finding.
   *
   * @param claim what should be so
   * @param seen what was seen instead, or as its proof; may be empty
   */
  record Check(boolean ok, String claim, String seen) {
    /** As a line of the verdict. */
    @Override
    public String toString() {
      return (ok ? "ok      " : "FAILED  ") + claim + (seen.isEmpty() ? "" : ": " + seen);
    }
  }

  private final List<Check> all = new ArrayList<>();

  /** Notes a finding. */
  void that(boolean ok, String claim, String seen) {
    all.add(new Check(ok, claim, seen));
  }

  /** Notes whether two things are the same. */
  void same(String claim, Object expected, Object seen) {
    boolean ok = expected.equals(seen);
    that(ok, claim, ok ? String.valueOf(seen) : seen + ", expected " + expected);
  }

  /** All of them. */
  List<Check> all() {
    return List.copyOf(all);
  }

  /** How many were wrong. */
  long failed() {
    return all.stream().filter(check -> !check.ok()).count();
  }
}
