package io.sippbx.shared.config;

import java.util.List;

/** What became of a configuration. */
public sealed interface ConfigResult {

  /**
   * It can be used.
   *
   * @param notices what is accepted and has no effect, or is worth a warning; to be logged once
   */
  record Loaded(Configuration configuration, List<Problem> notices) implements ConfigResult {
    /** Copies {@code notices}. */
    public Loaded {
      notices = List.copyOf(notices);
    }
  }

  /** It cannot; all that is wrong: keys first, then values in the order of the reference file. */
  record Refused(List<Problem> problems) implements ConfigResult {
    /** Copies {@code problems}. */
    public Refused {
      problems = List.copyOf(problems);
    }

    /** One line for each problem under a heading, for standard error. */
    public String report() {
      var text = new StringBuilder("The configuration has ");
      text.append(problems.size() == 1 ? "a problem:" : problems.size() + " problems:");
      for (Problem problem : problems) {
        text.append("\n  ").append(problem);
      }
      return text.toString();
    }
  }
}
