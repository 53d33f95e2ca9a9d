package io.sippbx.simulation;

import io.sippbx.control.testkit.VirtualLoops;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * What happened, a line an event: {@code seconds who what}. The hash of all lines tells whether two
 * runs were the same; the lines themselves are kept up to a limit, the last ones.
 */
final class Trace {

  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final VirtualLoops time;
  private final int keep;
  private final Deque<String> lines = new ArrayDeque<>();
  private long hash = FNV_OFFSET;
  private long count;

  /**
   * @param keep lines that are kept
   */
  Trace(VirtualLoops time, int keep) {
    this.time = time;
    this.keep = keep;
  }

  void note(String who, String what) {
    long us = time.elapsed().toNanos() / 1_000;
    String line = String.format("%d.%06d %s %s", us / 1_000_000, us % 1_000_000, who, what);
    for (int i = 0; i < line.length(); i++) {
      hash = (hash ^ line.charAt(i)) * FNV_PRIME;
    }
    count++;
    lines.addLast(line);
    if (lines.size() > keep) {
      lines.removeFirst();
    }
  }

  /** Of all lines there ever were. */
  long hash() {
    return hash;
  }

  long count() {
    return count;
  }

  /** The last lines. */
  List<String> lines() {
    return List.copyOf(lines);
  }
}
