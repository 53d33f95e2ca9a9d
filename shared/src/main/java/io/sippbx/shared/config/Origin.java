package io.sippbx.shared.config;

/** Where a value came from. */
public sealed interface Origin {
  /** The reference file. */
  record Reference() implements Origin {
    @Override
    public String toString() {
      return "default";
    }
  }

  /** The user's file. */
  record File(String path, int line) implements Origin {
    @Override
    public String toString() {
      return path + " line " + line;
    }
  }

  /** An environment variable. */
  record Environment(String variable) implements Origin {
    @Override
    public String toString() {
      return "environment variable " + variable;
    }
  }

  /** An option of the command line. */
  record CommandLine(String option) implements Origin {
    @Override
    public String toString() {
      return "option " + option;
    }
  }
}
