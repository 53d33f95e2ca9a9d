package io.sippbx.benchmarks.survival;

import java.util.Locale;

/** What dies. */
enum Victim {
  CONTROL("a control node (SIGKILL)"),
  MEDIA("a media node (SIGKILL)"),
  REDIS("the Redis primary (SIGKILL), a replica promoted"),
  ROLLING("every control node in turn (SIGTERM), started again"),
  ROLLING_KILL("every control node in turn (SIGKILL), started again"),
  RESTART("a control node (SIGKILL), started again at once");

  private final String title;

  Victim(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  String option() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
