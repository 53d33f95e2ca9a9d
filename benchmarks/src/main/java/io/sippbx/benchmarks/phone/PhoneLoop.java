package io.sippbx.benchmarks.phone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One thread for all phones: sockets, timers and tasks of others. What it runs never blocks. */
public final class PhoneLoop implements AutoCloseable {

  private static final Duration ASKED_WITHIN = Duration.ofSeconds(30);
  private static final int FAILURES_KEPT = 20;

  /** What is done when a channel is ready. */
  interface Ready {
    void ready(SelectionKey key) throws IOException;
  }

  /** Something that is to be done once; {@link #cancel} it if not. */
  static final class Timer implements Comparable<Timer> {
    private final long dueNs;
    private final long order;
    private final Runnable task;
    private boolean cancelled;

    private Timer(long dueNs, long order, Runnable task) {
      this.dueNs = dueNs;
      this.order = order;
      this.task = task;
    }

    void cancel() {
      cancelled = true;
    }

    @Override
    public int compareTo(Timer other) {
      int byTime = Long.signum(dueNs - other.dueNs);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  private final Selector selector;
  private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private final List<String> failures = new ArrayList<>();
  private final Thread thread;
  private volatile boolean closing;
  private long orders;

  private PhoneLoop(Selector selector) {
    this.selector = selector;
    this.thread = Thread.ofPlatform().daemon().name("phones").unstarted(this::run);
  }

  /** Starts the thread. */
  public static PhoneLoop start() {
    try {
      var loop = new PhoneLoop(Selector.open());
      loop.thread.start();
      return loop;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a task on the loop, soon. Any thread. */
  public void execute(Runnable task) {
    tasks.add(task);
    selector.wakeup();
  }

  /** What the loop answers. Any thread but the loop's. */
  public <T> T ask(Callable<T> question) {
    var answer = new FutureTask<T>(question);
    execute(answer);
    try {
      return answer.get(ASKED_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the phones' loop did not answer", e);
    }
  }

  /** Runs a task later. Loop only. */
  Timer after(Duration delay, Runnable task) {
    orders++;
    var timer = new Timer(System.nanoTime() + delay.toNanos(), orders, task);
    timers.add(timer);
    return timer;
  }

  /** Runs a task at a time of {@link System#nanoTime}. Loop only. */
  Timer at(long dueNs, Runnable task) {
    orders++;
    var timer = new Timer(dueNs, orders, task);
    timers.add(timer);
    return timer;
  }

  /** Runs a task later. Any thread. */
  public void schedule(Duration delay, Runnable task) {
    execute(() -> after(delay, task));
  }

  /** Watches a channel, which becomes non-blocking. Loop only. */
  SelectionKey watch(SelectableChannel channel, int operations, Ready ready) throws IOException {
    channel.configureBlocking(false);
    return channel.register(selector, operations, ready);
  }

  /** Errors of our own so far, which make every result worthless. */
  public List<String> failures() {
    synchronized (failures) {
      return List.copyOf(failures);
    }
  }

  private void run() {
    try {
      while (!closing) {
        selector.select(this::handle, waitMs());
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
          guarded(task);
        }
        runTimers();
      }
      for (SelectionKey key : new ArrayList<>(selector.keys())) {
        key.channel().close();
      }
      selector.close();
    } catch (IOException e) {
      fail(e);
    }
  }

  private long waitMs() {
    if (!tasks.isEmpty()) {
      return 1;
    }
    Timer next = timers.peek();
    if (next == null) {
      return 1_000;
    }
    // 0 would mean for ever.
    return Math.clamp((next.dueNs - System.nanoTime()) / 1_000_000, 1, 1_000);
  }

  private void runTimers() {
    long nowNs = System.nanoTime();
    for (Timer next = timers.peek();
        next != null && next.dueNs - nowNs <= 0;
        next = timers.peek()) {
      timers.poll();
      if (!next.cancelled) {
        guarded(next.task);
      }
    }
  }

  private void handle(SelectionKey key) {
    guarded(
        () -> {
          try {
            if (key.isValid()) {
              ((Ready) key.attachment()).ready(key);
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  // The loop of a measurement must not die of one phone; what failed is told at the end.
  @SuppressWarnings("CatchAndPrintStackTrace")
  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      fail(e);
    }
  }

  private void fail(Exception e) {
    e.printStackTrace();
    synchronized (failures) {
      if (failures.size() < FAILURES_KEPT) {
        failures.add(e.toString());
      }
    }
  }

  /** Closes all channels and ends the thread. */
  @Override
  public void close() {
    closing = true;
    selector.wakeup();
    try {
      thread.join(ASKED_WITHIN.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
