package io.sippbx.event.cdr;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.config.CdrConfig;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one record for each call that has ended. Any thread hands events over and never waits; one
 * thread writes them in batches and forces each batch to the disk.
 *
 * <p>While the disk is full or away, records wait in memory and are tried again; what goes over
 * {@code cdr.queue_length} is refused, and stays with who hands it over. The same call handed over
 * again gets no second record, as long as it is among the last {@value #REMEMBERED} calls or, after
 * a restart, in the file where its record belongs.
 */
public final class CdrWriter implements AutoCloseable {

  /** Calls remembered against second records. */
  static final int REMEMBERED = 200_000;

  private static final Logger LOG = LoggerFactory.getLogger(CdrWriter.class);

  private static final int BATCH = 512;
  private static final int READ_BACK_HOURS = 24;

  /** Of each file that is read back at the start, its end: a limit for time and memory. */
  private static final long MAX_READ_BACK = 64L << 20;

  private static final long IDLE_MS = 1_000;
  private static final String LOCK = ".cdr.lock";
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final Duration LAST_RETRY = Duration.ofSeconds(15);
  private static final Duration SWEEP_PERIOD = Duration.ofHours(1);

  private final Path folder;
  private final CdrFileName fileName;
  private final Optional<Integer> retentionDays;
  private final InstantSource clock;
  private final Duration firstRetry;
  private final FileChannel lock;
  private final ArrayBlockingQueue<Item> queue;
  private final RecentCalls recent = new RecentCalls(REMEMBERED);
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

  /** Calls that ended before it may have a record in files that were not read back. */
  private Instant readBackFrom = Instant.MIN;

  private record Item(CallEvent event, Runnable done) {
    static final Item WAKE_UP = new Item(CallEvent.getDefaultInstance(), () -> {});

    boolean isWakeUp() {
      return event.getCallKey().isEmpty();
    }
  }

  private CdrWriter(
      Path folder, CdrConfig config, InstantSource clock, Duration firstRetry, FileChannel lock) {
    this.folder = folder;
    this.fileName = new CdrFileName(config.filenamePattern());
    this.retentionDays = config.retentionDays();
    this.clock = clock;
    this.firstRetry = firstRetry;
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
    return start(folder, config, clock, FIRST_RETRY);
  }

  static CdrWriter start(Path folder, CdrConfig config, InstantSource clock, Duration firstRetry)
      throws IOException {
    var writer = new CdrWriter(folder, config, clock, firstRetry, locked(folder));
    try {
      writer.readBack();
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

  private void readBack() throws IOException {
    Instant now = clock.instant();
    readBackFrom = now.minus(Duration.ofHours(READ_BACK_HOURS));
    var names = new LinkedHashSet<String>();
    for (int hours = READ_BACK_HOURS; hours >= 0; hours--) {
      names.add(fileName.at(now.minus(Duration.ofHours(hours))));
    }
    for (String name : names) {
      Path path = folder.resolve(name);
      if (Files.isRegularFile(path)) {
        forEachCall(path, MAX_READ_BACK, recent::add);
      }
    }
  }

  /** Which of these calls have a record in a file. */
  private static Set<String> recorded(Path path, Set<String> calls) throws IOException {
    var found = new TreeSet<String>();
    if (Files.isRegularFile(path)) {
      forEachCall(
          path,
          Long.MAX_VALUE,
          call -> {
            if (calls.contains(call)) {
              found.add(call);
            }
          });
    }
    return found;
  }

  private static void forEachCall(Path path, long maxBytes, Consumer<String> seen)
      throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      long size = Files.size(path);
      if (size > maxBytes) {
        in.skipNBytes(size - maxBytes);
      }
      byte[] buffer = new byte[1 << 17];
      int filled = 0;
      int count = in.read(buffer, 0, buffer.length);
      while (count >= 0) {
        filled += count;
        int start = 0;
        for (int i = filled - count; i < filled; i++) {
          if (buffer[i] == '\n') {
            CdrLine.callKey(buffer, start, i - start).ifPresent(seen);
            start = i + 1;
          }
        }
        // A line as long as the buffer is none of ours: skipped, bit by bit.
        filled = start == 0 && filled == buffer.length ? 0 : filled - start;
        System.arraycopy(buffer, start, buffer, 0, filled);
        count = in.read(buffer, filled, buffer.length - filled);
      }
    }
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
    Duration pause = firstRetry;
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
        if (!recent.contains(key)) {
          fresh.putIfAbsent(key, item.event());
        }
      }
      forgetRecorded(name, fresh);
      if (!fresh.isEmpty()) {
        opened(name).append(fresh.values().stream().map(CdrLine::of).toList());
      }
      fresh.keySet().forEach(recent::add);
      records.add(fresh.size());
      duplicates.add(here.size() - fresh.size());
      batch.clear();
      batch.addAll(elsewhere);
      inHand = batch.size();
      here.forEach(CdrWriter::tell);
    }
  }

  /**
   * Leaves out calls with a record in a file that is older than what was read back: they ended
   * before a process that was killed had said that they are done with, and which was not started
   * again for long.
   */
  private void forgetRecorded(String name, Map<String, CallEvent> fresh) throws IOException {
    Path path = folder.resolve(name);
    boolean isOld =
        fresh.values().stream().anyMatch(event -> CdrLine.endTime(event).isBefore(readBackFrom));
    if (isOld && Files.isRegularFile(path)) {
      // Opening cuts off what an append that failed may have left.
      opened(name);
      recorded(path, fresh.keySet()).forEach(fresh::remove);
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
    if (retentionDays.isEmpty() || now.isBefore(swept.plus(SWEEP_PERIOD))) {
      return;
    }
    swept = now;
    LocalDate oldest = LocalDate.ofInstant(now, ZoneOffset.UTC).minusDays(retentionDays.get());
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path path : files) {
        Optional<LocalDate> day = fileName.day(path.getFileName().toString());
        if (day.isPresent()
            && day.get().isBefore(oldest)
            && Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
          Files.delete(path);
          LOG.atInfo().addKeyValue("file", path).log("cdr.file_deleted");
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.atWarn().addKeyValue("folder", folder).setCause(e).log("cdr.retention_failed");
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
    try {
      // When there is no room the writer is awake.
      queue.offer(Item.WAKE_UP);
      if (!thread.join(limit)) {
        thread.interrupt();
        thread.join(Duration.ofSeconds(1));
      }
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
    if (unwritten > 0) {
      LOG.atError().addKeyValue("records", unwritten).log("cdr.not_written");
    }
  }
}
