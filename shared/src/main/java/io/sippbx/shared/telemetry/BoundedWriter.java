package io.sippbx.shared.telemetry;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * A bounded queue of byte strings and the one thread that writes them. Offering never blocks; an
 * item that does not fit is dropped and counted.
 *
 * <p>What comes to an idle writer is written at once. After that it rests for a moment, in which
 * what comes is collected, so that a busy process does not wake a thread for each line; half a
 * queue ends the rest.
 */
final class BoundedWriter implements AutoCloseable {

  private static final int BATCH = 256;
  private static final long IDLE_MS = 1_000;
  private static final Duration REST = Duration.ofMillis(50);

  private final Output output;
  private final ArrayBlockingQueue<byte[]> queue;
  private final int wakeAtItems;
  private final long maxQueuedBytes;
  private final long restNs;
  private final AtomicLong queuedBytes = new AtomicLong();
  private final AtomicLong highMark = new AtomicLong();
  private final LongAdder written = new LongAdder();
  private final LongAdder dropped = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final Thread thread;
  private volatile boolean closing;

  /**
   * Starts the thread, a daemon.
   *
   * @param maxItems that may wait
   * @param maxQueuedBytes of all that wait
   */
  BoundedWriter(String threadName, Output output, int maxItems, long maxQueuedBytes) {
    this(threadName, output, maxItems, maxQueuedBytes, REST);
  }

  /** With another rest. */
  BoundedWriter(
      String threadName, Output output, int maxItems, long maxQueuedBytes, Duration rest) {
    this.output = output;
    this.queue = new ArrayBlockingQueue<>(maxItems);
    this.wakeAtItems = Math.max(1, maxItems / 2);
    this.maxQueuedBytes = maxQueuedBytes;
    this.restNs = rest.toNanos();
    this.thread = Thread.ofPlatform().name(threadName).daemon().unstarted(this::run);
    thread.start();
  }

  /** Takes the bytes, which belong to the writer from now on, or drops them; any thread. */
  boolean offer(byte[] bytes) {
    long bytesThen = queuedBytes.addAndGet(bytes.length);
    if (closing || bytesThen > maxQueuedBytes || !queue.offer(bytes)) {
      queuedBytes.addAndGet(-bytes.length);
      dropped.increment();
      return false;
    }
    int depth = queue.size();
    if (depth > highMark.get()) {
      highMark.accumulateAndGet(depth, Math::max);
    }
    // Half a queue ends its rest.
    if (depth >= wakeAtItems || bytesThen > maxQueuedBytes / 2) {
      LockSupport.unpark(thread);
    }
    return true;
  }

  /** Items written. */
  long written() {
    return written.sum();
  }

  /** Items that did not fit. */
  long dropped() {
    return dropped.sum();
  }

  /** Items that were taken and could not be written. */
  long failed() {
    return failed.sum();
  }

  /** Items that wait. */
  int depth() {
    return queue.size();
  }

  /** The most that have waited. */
  long highMark() {
    return highMark.get();
  }

  private void run() {
    var batch = new ArrayList<byte[]>(BATCH);
    try {
      while (!closing || !queue.isEmpty()) {
        byte[] first = queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        batch.add(first);
        queue.drainTo(batch, BATCH - 1);
        write(batch);
        batch.clear();
        rest();
      }
    } catch (InterruptedException e) {
      // Only close() interrupts, after its time is up: what waits is lost, and counted.
      failed.add(queue.size());
    }
    try {
      output.close();
    } catch (IOException e) {
      failed.increment();
    }
  }

  private void rest() throws InterruptedException {
    long end = System.nanoTime() + restNs;
    long left = restNs;
    while (left > 0 && !closing && !isHalfFull()) {
      LockSupport.parkNanos(this, left);
      if (Thread.interrupted()) {
        throw new InterruptedException("while it rested");
      }
      left = end - System.nanoTime();
    }
  }

  private boolean isHalfFull() {
    return queue.size() >= wakeAtItems || queuedBytes.get() > maxQueuedBytes / 2;
  }

  private void write(List<byte[]> batch) {
    long items = 0;
    try {
      for (byte[] bytes : batch) {
        if (bytes.length > 0) {
          items++;
          output.write(bytes);
        }
      }
      output.flush();
      written.add(items);
    } catch (IOException e) {
      // There is nowhere to say it: the metric does.
      failed.add(batch.stream().filter(bytes -> bytes.length > 0).count());
    } finally {
      for (byte[] bytes : batch) {
        queuedBytes.addAndGet(-bytes.length);
      }
    }
  }

  /** Writes what waits, for a few seconds at most, and closes the output. */
  @Override
  public void close() {
    close(Duration.ofSeconds(5));
  }

  /** As {@link #close()} with another limit. */
  void close(Duration limit) {
    closing = true;
    try {
      // An empty item wakes the thread up at once; when the queue is full it is awake.
      queue.offer(new byte[0]);
      LockSupport.unpark(thread);
      if (!thread.join(limit)) {
        thread.interrupt();
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
