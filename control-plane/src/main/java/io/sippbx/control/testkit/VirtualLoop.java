package io.sippbx.control.testkit;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.TreeSet;

/**
 * A loop on the virtual time of its {@link VirtualLoops}. It can be paused, as a process by
 * SIGSTOP, and stopped for good, as one by SIGKILL.
 */
public final class VirtualLoop implements Loop {

  static final Comparator<Task> ORDER =
      Comparator.comparingLong(Task::dueNs).thenComparingLong(Task::sequence);

  private final VirtualLoops time;
  private final String name;
  private final TreeSet<Task> tasks = new TreeSet<>(ORDER);
  private boolean paused;
  private boolean stopped;

  /** Compared by time and sequence only: no two have the same sequence. */
  record Task(long dueNs, long sequence, Runnable work) {}

  VirtualLoop(VirtualLoops time, String name) {
    this.time = time;
    this.name = name;
  }

  @Override
  public void execute(Runnable task) {
    add(0, task);
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    Task added = add(Math.max(0, delay.toNanos()), task);
    return () -> {
      if (time.isRunningOther(this)) {
        throw new IllegalStateException(
            "Expected a timer to be cancelled on its loop " + name + ", but it was on another");
      }
      tasks.remove(added);
    };
  }

  @Override
  public long nowNs() {
    return time.nowNs();
  }

  @Override
  public Instant now() {
    return time.now();
  }

  @Override
  public boolean inLoop() {
    return time.isRunning(this);
  }

  /** How many tasks and timers wait here. */
  public int pending() {
    return tasks.size();
  }

  /** Runs nothing until {@link #resume}; what becomes due meanwhile runs then, in its order. */
  public void pause() {
    paused = true;
  }

  /** Goes on after {@link #pause}. */
  public void resume() {
    paused = false;
  }

  /** Forgets all tasks, and each that is still given: they never run. */
  public void stop() {
    stopped = true;
    tasks.clear();
    time.gone(this);
  }

  boolean canRun() {
    return !paused && !tasks.isEmpty();
  }

  Task first() {
    return tasks.first();
  }

  void remove(Task task) {
    tasks.remove(task);
  }

  private Task add(long delayNs, Runnable work) {
    var task = new Task(time.nowNs() + delayNs, time.nextSequence(), work);
    if (!stopped) {
      tasks.add(task);
    }
    return task;
  }

  @Override
  public String toString() {
    return name;
  }
}
