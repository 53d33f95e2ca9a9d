package io.sippbx.simulation;

import io.sippbx.control.testkit.VirtualLoops;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/**
 * What happened, a line an event: {@code seconds who what}. The hash of all lines tells whether two
 * runs were the same; the lines themselves are kept up to a limit, the last ones. Where nobody will
 * read it nothing is written: a seed that fails is run again with its trace.
 */
final class Trace {

  /** In place of a number of lines to keep: neither lines nor hash. */
  static final int OFF = -1;

  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final VirtualLoops time;
  private final int keep;
  private final Deque<String> lines = new ArrayDeque<>();
  private long hash = FNV_OFFSET;

  /**
   * @param keep lines that are kept; 0 for the hash alone; {@link #OFF}
   */
  Trace(VirtualLoops time, int keep) {
    this.time = time;
    this.keep = keep;
  }

  void note(String who, String what) {
    if (keep != OFF) {
      write(who, what);
    }
  }

  /** For what happens often and takes words. */
  void note(String who, Supplier<String> what) {
    if (keep != OFF) {
      write(who, what.get());
    }
  }

  private void write(String who, String what) {
    long us = time.elapsed().toNanos() / 1_000;
    String micros = Long.toString(1_000_000 + us % 1_000_000).substring(1);
    String line = us / 1_000_000 + "." + micros + " " + who + " " + what;
    for (int i = 0; i < line.length(); i++) {
      hash = (hash ^ line.charAt(i)) * FNV_PRIME;
    }
    if (keep > 0) {
      lines.addLast(line);
      if (lines.size() > keep) {
        lines.removeFirst();
      }
    }
  }

  /** Of all lines there ever were. */
  long hash() {
    return hash;
  }

  /** The last lines. */
  List<String> lines() {
    return List.copyOf(lines);
  }
}
