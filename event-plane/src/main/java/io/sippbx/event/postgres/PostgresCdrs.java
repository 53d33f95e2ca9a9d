package io.sippbx.event.postgres;

import io.sippbx.event.EventTaker;
import io.sippbx.event.OwnThread;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.config.CdrConfig;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a row for each call that has ended. Any thread hands events over and never waits; one
 * thread with one connection inserts them in batches, and an event is done when its batch is
 * committed. The same call again is no second row, whoever inserted it.
 *
 * <p>While the database is away rows wait in memory, and beyond a bound where they come from. A row
 * that the database does not take for what is in it is logged, counted and left out.
 */
public final class PostgresCdrs implements EventTaker, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PostgresCdrs.class);

  private static final int BATCH = 500;
  private static final long IDLE_MS = 500;
  private static final Duration LAST_RETRY = Duration.ofSeconds(15);
  private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);
  private static final String CONNECT_S = "10";
  private static final String ANSWER_S = "60";

  private final CdrConfig.Postgres config;
  private final Duration firstRetry;
  private final ArrayBlockingQueue<Item> queue;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private final LongAdder rows = new LongAdder();
  private final LongAdder duplicates = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder rejected = new LongAdder();
  private volatile int inHand;
  private volatile boolean failing;
  private @Nullable Connection connection;
  private boolean migrated;

  private record Item(CallEvent event, Runnable done) {}

  private PostgresCdrs(CdrConfig.Postgres config, int queueLength, Duration firstRetry) {
    this.config = config;
    this.firstRetry = firstRetry;
    this.queue = new ArrayBlockingQueue<>(queueLength);
    this.thread = Thread.ofPlatform().name("cdr-postgres").daemon().unstarted(this::run);
  }

  /**
   * Starts to write; the database need not be there yet. Its tables are made, or brought up to
   * date.
   *
   * @param queueLength rows that may wait
   */
  public static PostgresCdrs start(CdrConfig.Postgres config, int queueLength) {
    return start(config, queueLength, Duration.ofSeconds(1));
  }

  static PostgresCdrs start(CdrConfig.Postgres config, int queueLength, Duration firstRetry) {
    var cdrs = new PostgresCdrs(config, queueLength, firstRetry);
    cdrs.thread.start();
    return cdrs;
  }

  @Override
  public boolean take(CallEvent event, Runnable done) {
    if (!event.hasEnded()) {
      done.run();
      return true;
    }
    return closing.getCount() > 0 && queue.offer(new Item(event, done));
  }

  private void run() {
    var batch = new ArrayList<Item>(BATCH);
    try {
      while (closing.getCount() > 0 || !queue.isEmpty()) {
        Item first = queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        batch.add(first);
        queue.drainTo(batch, BATCH - 1);
        inHand = batch.size();
        if (!writeUntilDone(batch)) {
          break;
        }
        batch.clear();
        inHand = 0;
      }
    } catch (InterruptedException e) {
      // Only close() interrupts, when its time is up.
      Thread.currentThread().interrupt();
    } finally {
      disconnect();
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
          log.atInfo().addKeyValue("waiting", depth()).log("cdr.postgres_recovered");
        }
        return true;
      } catch (SQLException | FlywayException e) {
        disconnect();
        failures.increment();
        if (!failing) {
          failing = true;
          log.atError()
              .addKeyValue("waiting", depth())
              .addKeyValue("problem", e.getMessage())
              .log("cdr.postgres_failed");
        }
        if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
          return false;
        }
        Duration next = pause.multipliedBy(2);
        pause = next.compareTo(LAST_RETRY) < 0 ? next : LAST_RETRY;
      }
    }
  }

  private void write(List<Item> batch) throws SQLException {
    Connection open = connected();
    try {
      insert(open, batch);
    } catch (SQLException e) {
      if (!isOfTheRow(e)) {
        throw e;
      }
      open.rollback();
      for (Item item : batch) {
        writeAlone(open, item);
      }
    }
    batch.forEach(item -> item.done().run());
  }

  private void writeAlone(Connection open, Item item) throws SQLException {
    try {
      insert(open, List.of(item));
    } catch (SQLException e) {
      if (!isOfTheRow(e)) {
        throw e;
      }
      open.rollback();
      rejected.increment();
      log.atError()
          .addKeyValue("call", item.event().getCallKey())
          .addKeyValue("problem", e.getMessage())
          .log("cdr.postgres_rejected");
    }
  }

  private void insert(Connection open, List<Item> batch) throws SQLException {
    try (PreparedStatement statement = open.prepareStatement(CdrRow.INSERT)) {
      for (Item item : batch) {
        CdrRow.bind(statement, item.event());
        statement.addBatch();
      }
      int[] counts = statement.executeBatch();
      open.commit();
      for (int count : counts) {
        (count == 0 ? duplicates : rows).increment();
      }
    }
  }

  /** Data exceptions and violated constraints: no other time or connection makes them good. */
  private static boolean isOfTheRow(SQLException e) {
    String state = e.getSQLState();
    return state != null && (state.startsWith("22") || state.startsWith("23"));
  }

  private Connection connected() throws SQLException {
    Connection open = connection;
    if (open != null) {
      return open;
    }
    var properties = new Properties();
    config.username().ifPresent(name -> properties.setProperty("user", name));
    config.password().ifPresent(secret -> properties.setProperty("password", secret.value()));
    properties.setProperty("ApplicationName", "sip-pbx");
    properties.setProperty("connectTimeout", CONNECT_S);
    properties.setProperty("socketTimeout", ANSWER_S);
    if (!migrated) {
      Flyway.configure()
          .dataSource(
              config.url(),
              config.username().orElse(null),
              config.password().map(secret -> secret.value()).orElse(null))
          .locations("classpath:io/sippbx/event/postgres")
          .table("cdr_schema_history")
          .baselineOnMigrate(true)
          .baselineVersion("0")
          .load()
          .migrate();
      migrated = true;
    }
    open = DriverManager.getConnection(config.url(), properties);
    open.setAutoCommit(false);
    connection = open;
    return open;
  }

  private void disconnect() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        log.atDebug().setCause(e).log("cdr.postgres_close_failed");
      }
    }
  }

  /** Shows its counts as metrics of the process. */
  public void bind(Metrics metrics) {
    metrics.counter(EventMetric.POSTGRES_ROWS, rows::sum);
    metrics.counter(EventMetric.POSTGRES_DUPLICATES, duplicates::sum);
    metrics.counter(EventMetric.POSTGRES_FAILURES, failures::sum);
    metrics.counter(EventMetric.POSTGRES_REJECTED, rejected::sum);
    metrics.gauge(EventMetric.POSTGRES_QUEUE, this::depth);
    metrics.gauge(EventMetric.POSTGRES_ALARM, () -> failing ? 1 : 0);
  }

  /** Rows that wait, those in hand among them. */
  public int depth() {
    return queue.size() + inHand;
  }

  /** Rows that were inserted. */
  public long rows() {
    return rows.sum();
  }

  /** Ends of calls that had a row. */
  public long duplicates() {
    return duplicates.sum();
  }

  /** Rows that the database did not take for what is in them. */
  public long rejected() {
    return rejected.sum();
  }

  /** Whether the last attempt failed. */
  public boolean isFailing() {
    return failing;
  }

  /** Writes what waits, within a bound; the rest comes again. */
  @Override
  public void close() {
    closing.countDown();
    OwnThread.awaitEnd(thread, CLOSE_WITHIN);
  }
}
