package io.sippbx.control.testkit;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Virtual time and the loops that live in it, all in the thread that calls {@link #step} or one of
 * the methods that repeat it.
 *
 * <p>Tasks of one loop run in the order of their times, and of the order in which they were given
 * at equal times. Between loops the order is the same ({@link #inOrder}), or is drawn from a seed
 * among the loops that have something to do now ({@link #shuffled}). Either way the same program
 * gives the same run. Time stands still while a task runs. What a task throws comes out of the
 * method that ran it.
 */
public final class VirtualLoops {

  /** What {@link #now} starts at. */
  public static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  /** More tasks than this without an end are taken for an endless loop. */
  static final int MOST_STEPS = 10_000_000;

  // Not zero, so that code which takes a clock of zero for "never" is found out.
  private static final long START_NS = 1_000_000_000_000L;

  private final List<VirtualLoop> loops = new ArrayList<>();

  /** Those that have something to do now; kept, for it is filled at each step. */
  private final List<VirtualLoop> ready = new ArrayList<>();

  private final @Nullable Random random;
  private long nowNs = START_NS;
  private long sequence;
  private @Nullable VirtualLoop running;

  private VirtualLoops(@Nullable Random random) {
    this.random = random;
  }

  /** Tasks that are due at the same time run in the order in which they were given. */
  public static VirtualLoops inOrder() {
    return new VirtualLoops(null);
  }

  /** Of several loops with a task that is due now, {@code seed} says which is first. */
  public static VirtualLoops shuffled(long seed) {
    // Neighbouring seeds of Random begin alike, so they are moved apart.
    long mixed = (seed ^ seed >>> 32) * 0x9e3779b97f4a7c15L;
    return new VirtualLoops(new Random(mixed ^ mixed >>> 29));
  }

  /** One more loop; {@code name} is for messages. */
  public VirtualLoop loop(String name) {
    var loop = new VirtualLoop(this, name);
    loops.add(loop);
    return loop;
  }

  /** {@code count} more loops, as a node has them. */
  public Loops loops(String name, int count) {
    var made = new ArrayList<Loop>();
    for (int i = 0; i < count; i++) {
      made.add(loop(name + "-" + i));
    }
    return new Loops(made);
  }

  /** Monotonic time of all loops. */
  public long nowNs() {
    return nowNs;
  }

  /** Wall-clock time of all loops. */
  public Instant now() {
    return START.plusNanos(nowNs - START_NS);
  }

  /** How much time has passed since the start. */
  public Duration elapsed() {
    return Duration.ofNanos(nowNs - START_NS);
  }

  /** How many tasks and timers wait, on loops that are not stopped. */
  public int pending() {
    int pending = 0;
    for (VirtualLoop loop : loops) {
      pending += loop.pending();
    }
    return pending;
  }

  /**
   * Runs the next task, moving time forward to it if need be.
   *
   * @return false if there is none
   */
  public boolean step() {
    return stepUntil(Long.MAX_VALUE);
  }

  /** Runs all that is due now, and what that gives rise to at once; time stands still. */
  public void runReady() {
    runUntilNs(nowNs);
  }

  /** Runs all that is due within {@code duration}; afterwards exactly that much has passed. */
  public void advance(Duration duration) {
    if (duration.isNegative()) {
      throw new IllegalArgumentException("Expected time to go forward, but got " + duration);
    }
    long endNs = nowNs + duration.toNanos();
    runUntilNs(endNs);
    nowNs = endNs;
  }

  /** Runs until nothing waits any more. A task that repeats for ever is an error. */
  public void runAll() {
    runUntilNs(Long.MAX_VALUE);
  }

  /**
   * Runs until {@code condition} holds (looked at before the first and after each task), for at
   * most {@code limit}.
   *
   * @return whether it holds; if not, exactly {@code limit} has passed
   */
  public boolean runUntil(BooleanSupplier condition, Duration limit) {
    long endNs = nowNs + limit.toNanos();
    for (int steps = 0; !condition.getAsBoolean(); steps++) {
      refuseEndless(steps);
      if (!stepUntil(endNs)) {
        nowNs = endNs;
        return condition.getAsBoolean();
      }
    }
    return true;
  }

  /** A loop has been stopped: it never has anything to do again. */
  void gone(VirtualLoop loop) {
    loops.remove(loop);
  }

  long nextSequence() {
    return sequence++;
  }

  boolean isRunning(VirtualLoop loop) {
    return running == loop;
  }

  boolean isRunningOther(VirtualLoop loop) {
    return running != null && running != loop;
  }

  private void runUntilNs(long endNs) {
    for (int steps = 0; stepUntil(endNs); steps++) {
      refuseEndless(steps);
    }
  }

  private void refuseEndless(int steps) {
    if (steps >= MOST_STEPS) {
      throw new IllegalStateException(
          "Expected an end, but " + steps + " tasks ran and more wait: " + pending());
    }
  }

  private boolean stepUntil(long endNs) {
    if (running != null) {
      throw new IllegalStateException("Expected to be outside of tasks, but in " + running);
    }
    VirtualLoop loop = next();
    if (loop == null || loop.dueNs() > endNs) {
      return false;
    }
    // A loop that was paused has tasks of the past.
    nowNs = Math.max(nowNs, loop.dueNs());
    TaskHeap.Task task = loop.take();
    running = loop;
    try {
      task.work().run();
    } finally {
      running = null;
    }
    return true;
  }

  private @Nullable VirtualLoop next() {
    VirtualLoop earliest = null;
    long earliestNs = VirtualLoop.NEVER;
    for (int i = 0; i < loops.size(); i++) {
      VirtualLoop loop = loops.get(i);
      long dueNs = loop.dueNs();
      if (dueNs < earliestNs
          || dueNs == earliestNs
              && earliest != null
              && loop.firstSequence() < earliest.firstSequence()) {
        earliest = loop;
        earliestNs = dueNs;
      }
    }
    if (earliest == null || random == null) {
      return earliest;
    }
    long atNs = Math.max(nowNs, earliestNs);
    ready.clear();
    for (int i = 0; i < loops.size(); i++) {
      if (loops.get(i).dueNs() <= atNs) {
        ready.add(loops.get(i));
      }
    }
    return ready.get(random.nextInt(ready.size()));
  }
}
