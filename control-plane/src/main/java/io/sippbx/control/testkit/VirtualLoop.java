package io.sippbx.control.testkit;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.time.Instant;

/**
 * A loop on the virtual time of its {@link VirtualLoops}. It can be paused, as a process by
 * SIGSTOP, and stopped for good, as one by SIGKILL.
 */
public final class VirtualLoop implements Loop {

  /** What {@link #dueNs} is where nothing waits, or nothing may run. */
  static final long NEVER = Long.MAX_VALUE;

  private final VirtualLoops time;
  private final String name;
  private final TaskHeap tasks = new TaskHeap();
  private boolean paused;
  private boolean stopped;

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
    TaskHeap.Task added = add(Math.max(0, delay.toNanos()), task);
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

  /** When its first task is due; {@link #NEVER} if it has none, or is paused. */
  long dueNs() {
    return paused || tasks.isEmpty() ? NEVER : tasks.first().dueNs();
  }

  /** Which of tasks that are due at the same time was given first. */
  long firstSequence() {
    return tasks.first().sequence();
  }

  /** Takes its first task. */
  TaskHeap.Task take() {
    return tasks.take();
  }

  private TaskHeap.Task add(long delayNs, Runnable work) {
    var task = new TaskHeap.Task(time.nowNs() + delayNs, time.nextSequence(), work);
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
