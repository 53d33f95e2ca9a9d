package io.sippbx.event.cdr;

import io.sippbx.event.EventTaker;
import io.sippbx.event.OwnThread;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.config.CdrConfig;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one record for each call that has ended. Any thread hands events over and never waits; one
 * thread writes them in batches and forces each batch to the disk: those that come within {@link
 * Pace#gather} of one another together, since forcing is what costs.
 *
 * <p>While the disk is full or away, records wait in memory and are tried again; what goes over
 * {@code cdr.queue_length} is refused, and stays with who hands it over. The same call handed over
 * again gets no second record, ever: {@link KnownCalls}.
 */
public final class CdrWriter implements EventTaker, AutoCloseable {

  /** Calls known by heart, against second records. */
  static final int REMEMBERED = 200_000;

  private static final Logger LOG = LoggerFactory.getLogger(CdrWriter.class);

  private static final int BATCH = 512;
  private static final long IDLE_MS = 1_000;
  private static final String LOCK = ".cdr.lock";
  private static final Duration LAST_RETRY = Duration.ofSeconds(15);
  private static final Duration SWEEP_PERIOD = Duration.ofHours(1);

  /**
   * How fast records are written.
   *
   * @param firstRetry until the first other try when they could not be
   * @param gather for which the first of a batch waits for more; not when that many wait already,
   *     nor at the end
   */
  record Pace(Duration firstRetry, Duration gather) {
    static final Pace DEFAULT = new Pace(Duration.ofSeconds(1), Duration.ofMillis(50));
  }

  private final Path folder;
  private final CdrFileName fileName;
  private final CdrArchive archive;
  private final KnownCalls known;
  private final InstantSource clock;
  private final Pace pace;
  private final FileChannel lock;
  private final ArrayBlockingQueue<Item> queue;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  private final LongAdder records = new LongAdder();
  private final LongAdder duplicates = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final AtomicLong highMark = new AtomicLong();
  private volatile int inHand;
  private volatile long unwritten;
  private volatile boolean failing;

  private @Nullable CdrFile file;
  private CdrFile.@Nullable Torn torn;
  private Instant swept = Instant.MIN;

  private record Item(CallEvent event, Runnable done) {
    static final Item WAKE_UP = new Item(CallEvent.getDefaultInstance(), () -> {});

    boolean isWakeUp() {
      return event.getCallKey().isEmpty();
    }
  }

  private CdrWriter(
      Path folder,
      CdrConfig config,
      InstantSource clock,
      Pace pace,
      int remembered,
      FileChannel lock) {
    this.folder = folder;
    this.fileName = new CdrFileName(config.filenamePattern(), config.zone());
    this.archive =
        new CdrArchive(
            folder, fileName, config.zone(), config.retentionDays(), config.compressAfterDays());
    this.known = new KnownCalls(archive, fileName, remembered);
    this.clock = clock;
    this.pace = pace;
    this.lock = lock;
    this.queue = new ArrayBlockingQueue<>(config.queueLength());
    this.thread = Thread.ofPlatform().name("cdr-writer").daemon().unstarted(this::run);
  }

  /**
   * Takes the folder, reads back whose records are in it, and starts to write.
   *
   * @param folder see {@link CdrFolder}
   * @param clock for retention and for what is today's file
   * @throws IOException if another process writes there, or it cannot be read; the message names
   *     the key
   */
  public static CdrWriter start(Path folder, CdrConfig config, InstantSource clock)
      throws IOException {
    return start(folder, config, clock, Pace.DEFAULT, REMEMBERED);
  }

  static CdrWriter start(
      Path folder, CdrConfig config, InstantSource clock, Pace pace, int remembered)
      throws IOException {
    var writer = new CdrWriter(folder, config, clock, pace, remembered, locked(folder));
    try {
      writer.known.readBack(clock.instant());
    } catch (IOException e) {
      writer.lock.close();
      throw new IOException(
          "cdr.output_dir = " + folder + ": expected records that can be read, but " + e, e);
    }
    writer.thread.start();
    return writer;
  }

  /** Two writers would cut each other's lines. */
  private static FileChannel locked(Path folder) throws IOException {
    FileChannel channel =
        FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock taken;
    try {
      taken = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      taken = null;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    if (taken == null) {
      channel.close();
      throw new IOException(
          "cdr.output_dir = " + folder + ": expected a folder that no other process writes to");
    }
    return channel;
  }

  /** What became of an event that was handed over. */
  public enum Answer {
    /** It will be written. */
    TAKEN,
    /** It does not end a call: there is nothing to write. */
    NOT_AN_END,
    /** Too many are waiting, or the writer is closed: it is to be handed over again later. */
    REFUSED
  }

  /**
   * Hands an event over; never waits.
   *
   * @param done run on the writer's thread when the record is on the disk, by this event or by one
   *     before; short. Not run for what is not written at the end of the writer
   */
  public Answer accept(CallEvent event, Runnable done) {
    if (!event.hasEnded()) {
      return Answer.NOT_AN_END;
    }
    if (event.getCallKey().isEmpty()) {
      throw new IllegalArgumentException("Expected the key of a call in " + event.getEventId());
    }
    if (closing.getCount() == 0 || !queue.offer(new Item(event, done))) {
      refused.increment();
      return Answer.REFUSED;
    }
    highMark.accumulateAndGet(depth(), Math::max);
    return Answer.TAKEN;
  }

  @Override
  public boolean take(CallEvent event, Runnable done) {
    return switch (accept(event, done)) {
      case TAKEN -> true;
      case NOT_AN_END -> {
        done.run();
        yield true;
      }
      case REFUSED -> false;
    };
  }

  /** Shows the counts of this writer as metrics of the process. */
  public void bind(Metrics metrics) {
    metrics.counter(EventMetric.CDR_RECORDS, this::records);
    metrics.counter(EventMetric.CDR_DUPLICATES, this::duplicates);
    metrics.counter(EventMetric.CDR_WRITE_FAILURES, this::failures);
    metrics.counter(EventMetric.CDR_REFUSED, this::refused);
    metrics.gauge(EventMetric.CDR_QUEUE, this::depth);
    metrics.gauge(EventMetric.CDR_QUEUE_HIGH_MARK, highMark::get);
    metrics.gauge(EventMetric.CDR_ALARM, () -> failing ? 1 : 0);
  }

  /** Records on the disk, since the start. */
  public long records() {
    return records.sum();
  }

  /** Ends of calls that came again. */
  public long duplicates() {
    return duplicates.sum();
  }

  /** Attempts to write that failed. */
  public long failures() {
    return failures.sum();
  }

  /** Ends of calls that were refused. */
  public long refused() {
    return refused.sum();
  }

  /** Records that were not on the disk at the end of the writer. */
  public long unwritten() {
    return unwritten;
  }

  /** Records that wait, those in hand among them. */
  public int depth() {
    return queue.size() + inHand;
  }

  /** Whether the last attempt to write failed. */
  public boolean isFailing() {
    return failing;
  }

  private void run() {
    var batch = new ArrayList<Item>(BATCH);
    try {
      while (true) {
        sweepWhenDue();
        boolean last = closing.getCount() == 0;
        Item first = last ? queue.poll() : queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
        if (first != null) {
          batch.add(first);
          if (!last && !first.isWakeUp() && queue.size() < BATCH) {
            closing.await(pace.gather().toNanos(), TimeUnit.NANOSECONDS);
          }
          queue.drainTo(batch, BATCH - 1);
          batch.removeIf(Item::isWakeUp);
        }
        if (batch.isEmpty()) {
          if (last && first == null) {
            break;
          }
          continue;
        }
        inHand = batch.size();
        if (!writeUntilDone(batch)) {
          break;
        }
        inHand = 0;
        batch.clear();
      }
    } catch (InterruptedException e) {
      // Only close() interrupts, when its time is up.
      Thread.currentThread().interrupt();
    }
    queue.removeIf(Item::isWakeUp);
    unwritten = inHand + (long) queue.size();
    try {
      if (file != null) {
        file.close();
      }
      lock.close();
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("cdr.close_failed");
    }
  }

  /** False when it had to give up because of the end of the process. */
  private boolean writeUntilDone(List<Item> batch) throws InterruptedException {
    Duration pause = pace.firstRetry();
    while (true) {
      try {
        write(batch);
        if (failing) {
          failing = false;
          LOG.atInfo().addKeyValue("waiting", depth()).log("cdr.write_recovered");
        }
        return true;
      } catch (IOException e) {
        failures.increment();
        if (!failing) {
          failing = true;
          LOG.atError()
              .addKeyValue("folder", folder)
              .addKeyValue("waiting", depth())
              .setCause(e)
              .log("cdr.write_failed");
        }
        abandonFile();
        if (closing.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
          return writeOnceMore(batch);
        }
        pause =
            pause.multipliedBy(2).compareTo(LAST_RETRY) < 0 ? pause.multipliedBy(2) : LAST_RETRY;
      }
    }
  }

  private boolean writeOnceMore(List<Item> batch) {
    try {
      write(batch);
      failing = false;
      return true;
    } catch (IOException e) {
      failures.increment();
      abandonFile();
      return false;
    }
  }

  /** Closes the file, of which the end is in doubt. */
  private void abandonFile() {
    if (file != null) {
      torn = file.torn();
    }
    closeQuietly();
  }

  private void closeQuietly() {
    CdrFile open = file;
    file = null;
    try {
      if (open != null) {
        open.close();
      }
    } catch (IOException e) {
      LOG.atDebug().setCause(e).log("cdr.close_failed");
    }
  }

  /** Writes the items file by file; those that are on the disk leave the batch at once. */
  private void write(List<Item> batch) throws IOException {
    while (!batch.isEmpty()) {
      String name = fileName.at(CdrLine.endTime(batch.getFirst().event()));
      var fresh = new LinkedHashMap<String, CallEvent>();
      var here = new ArrayList<Item>();
      var elsewhere = new ArrayList<Item>();
      for (Item item : batch) {
        if (!fileName.at(CdrLine.endTime(item.event())).equals(name)) {
          elsewhere.add(item);
          continue;
        }
        here.add(item);
        String key = item.event().getCallKey();
        if (!known.contains(key)) {
          fresh.putIfAbsent(key, item.event());
        }
      }
      if (!fresh.isEmpty()) {
        // Opening cuts off what an append that failed may have left.
        CdrFile open = opened(name);
        known.forgetRecorded(name, fresh);
        open.append(fresh.values().stream().map(CdrLine::of).toList());
      }
      known.added(name, fresh);
      records.add(fresh.size());
      duplicates.add(here.size() - fresh.size());
      batch.clear();
      batch.addAll(elsewhere);
      inHand = batch.size();
      here.forEach(CdrWriter::tell);
    }
  }

  private static void tell(Item item) {
    try {
      item.done().run();
    } catch (RuntimeException e) {
      // Others' records must not wait for somebody's error.
      LOG.atError()
          .addKeyValue("call", item.event().getCallKey())
          .setCause(e)
          .log("cdr.done_failed");
    }
  }

  private CdrFile opened(String name) throws IOException {
    Path path = folder.resolve(name);
    CdrFile open = file;
    if (open != null && open.path().equals(path) && open.isInPlace()) {
      return open;
    }
    closeQuietly();
    Files.createDirectories(folder);
    archive.restore(name);
    CdrFile fresh =
        CdrFile.open(
            path,
            torn,
            cut ->
                LOG.atWarn()
                    .addKeyValue("file", path)
                    .addKeyValue("bytes", cut)
                    .log("cdr.half_line_removed"));
    file = fresh;
    torn = null;
    return fresh;
  }

  private void sweepWhenDue() {
    Instant now = clock.instant();
    if (!archive.isIdle() && !now.isBefore(swept.plus(SWEEP_PERIOD))) {
      swept = now;
      archive.sweep(now);
    }
  }

  /** Writes what waits, for five seconds at most, and lets the folder go. */
  @Override
  public void close() {
    close(Duration.ofSeconds(5));
  }

  /**
   * As {@link #close()} with another limit. What cannot be written by then is left to who handed it
   * over.
   */
  public void close(Duration limit) {
    closing.countDown();
    // When there is no room the writer is awake.
    queue.offer(Item.WAKE_UP);
    OwnThread.awaitEnd(thread, limit);
    if (unwritten > 0) {
      LOG.atError().addKeyValue("records", unwritten).log("cdr.not_written");
    }
  }
}
