package io.sippbx.event.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.MediaSummary;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.Result;
import io.sippbx.proto.event.v1.Ringing;
import io.sippbx.servers.Postgres;
import io.sippbx.servers.PostgresServer;
import io.sippbx.shared.config.CdrConfig;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against a real PostgreSQL. */
@Timeout(240)
class PostgresCdrsIT {

  private static final Duration WITHIN = Duration.ofSeconds(60);
  private static Postgres server;

  @BeforeAll
  static void startServer() throws IOException {
    server = Postgres.start();
  }

  @AfterAll
  static void stopServer() {
    server.close();
  }

  private static PostgresCdrs start() {
    return start(server);
  }

  private static PostgresCdrs start(Postgres at) {
    return PostgresCdrs.start(
        new CdrConfig.Postgres(at.url(), Optional.of("sip"), Optional.empty()),
        10_000,
        Duration.ofMillis(50));
  }

  private static Timestamp time(String iso) {
    Instant instant = Instant.parse(iso);
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  private static CallEvent end(String key, String caller) {
    return CallEvent.newBuilder()
        .setCallKey(key)
        .setNodeId("node-1")
        .setEnded(
            Ended.newBuilder()
                .setCaller(Party.newBuilder().setUser(caller).setCallId("a@b").setIp("192.0.2.1"))
                .setCallee(Party.newBuilder().setUser("1008").setUri("sip:1008@pbx"))
                .setStartTime(time("2025-01-05T10:15:30.900Z"))
                .setAnswerTime(time("2025-01-05T10:15:34.150Z"))
                .setEndTime(time("2025-01-05T10:18:45.100Z"))
                .setResult(Result.RESULT_COMPLETED)
                .setReason("normal")
                .setSipStatus(200)
                .setMedia(
                    MediaSummary.newBuilder()
                        .setCallerPackets(7)
                        .setCalleeLost(-1)
                        .setCallerJitterUs(2_125))
                .setProgressTime(time("2025-01-05T10:15:31.150Z"))
                .setFirstNodeId("node-0")
                .setRecovered(true)
                .setLastKnownUp(time("2025-01-05T10:17:00.5Z")))
        .build();
  }

  /** Hands over and waits until it is done with. */
  private static void write(PostgresCdrs cdrs, CallEvent event) throws InterruptedException {
    var done = new CountDownLatch(1);
    assertThat(cdrs.take(event, done::countDown)).isTrue();
    assertThat(done.await(WITHIN.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private static List<String> ask(String query) throws SQLException {
    return ask(server, query);
  }

  private static List<String> ask(Postgres at, String query) throws SQLException {
    var rows = new ArrayList<String>();
    try (Connection connection = DriverManager.getConnection(at.url(), "sip", "");
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      while (result.next()) {
        var cells = new ArrayList<String>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
          cells.add(String.valueOf(result.getString(i)));
        }
        rows.add(String.join("|", cells));
      }
    }
    return rows;
  }

  @Test
  void holdsWhatALineHolds() throws Exception {
    try (PostgresCdrs cdrs = start()) {
      write(cdrs, end("fields", "1004"));
    }
    assertThat(
            ask(
                "select call_id, caller, callee, caller_uri, caller_ip, duration,"
                    + " billable_duration, setup_ms, status, termination_reason, sip_status,"
                    + " codec, caller_packets, callee_lost, extract(epoch from end_time)"
                    + " from cdr where call_key = 'fields'"))
        .containsExactly(
            "a@b|1004|1008|null|192.0.2.1|195|191|3250|completed|normal|200|null|7|-1"
                + "|1736072325.100000");
    assertThat(
            ask(
                "select caller_jitter_ms, callee_jitter_ms, post_dial_delay_ms, first_node,"
                    + " recovered, extract(epoch from last_known_up)"
                    + " from cdr where call_key = 'fields'"))
        .containsExactly("2.125|null|250|node-0|t|1736072220.500000");
    assertThat(ask("select calls_made, billable_seconds_made from cdr_by_user where name = '1004'"))
        .containsExactly("1|191");
    assertThat(ask("select calls > 0 from cdr_by_hour")).containsExactly("t");
  }

  @Test
  void bringsATableOfTheFirstVersionUpToDateWithItsRows() throws Exception {
    try (Postgres old = Postgres.start();
        Connection connection = DriverManager.getConnection(old.url(), "sip", "")) {
      Flyway.configure()
          .dataSource(old.url(), "sip", "")
          .locations("classpath:io/sippbx/event/postgres")
          .table("cdr_schema_history")
          .target("1")
          .load()
          .migrate();
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            "insert into cdr (call_key, start_time, end_time, duration, billable_duration, status,"
                + " sip_status, caller_packets, caller_bytes, caller_lost, callee_packets,"
                + " callee_bytes, callee_lost)"
                + " values ('old', now(), now(), 1, 1, 'completed', 200, 0, 0, 0, 0, 0, 0)");
      }
      try (PostgresCdrs cdrs =
          PostgresCdrs.start(
              new CdrConfig.Postgres(old.url(), Optional.of("sip"), Optional.empty()), 100)) {
        write(cdrs, end("new", "1004"));
      }
      try (Statement statement = connection.createStatement();
          ResultSet rows =
              statement.executeQuery("select call_key, recovered from cdr order by call_key")) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getString(1) + rows.getBoolean(2)).isEqualTo("newtrue");
        assertThat(rows.next()).isTrue();
        assertThat(rows.getString(1) + rows.getBoolean(2)).isEqualTo("oldfalse");
        assertThat(rows.next()).isFalse();
      }
    }
  }

  @Test
  void writesOneRowForAnEndThatComesTwiceByWhomeverItComes() throws Exception {
    try (PostgresCdrs first = start();
        PostgresCdrs second = start()) {
      write(first, end("twice", "1"));
      write(first, end("twice", "1"));
      write(second, end("twice", "1"));
      assertThat(first.rows()).isEqualTo(1);
      assertThat(first.duplicates()).isEqualTo(1);
      assertThat(second.duplicates()).isEqualTo(1);
    }
    assertThat(ask("select count(*) from cdr where call_key = 'twice'")).containsExactly("1");
  }

  @Test
  void isDoneAtOnceWithWhatEndsNoCall() throws Exception {
    try (PostgresCdrs cdrs = start()) {
      write(cdrs, CallEvent.newBuilder().setRinging(Ringing.getDefaultInstance()).build());
      assertThat(cdrs.depth()).isZero();
    }
  }

  @Test
  void leavesOutWhatTheDatabaseDoesNotTakeAndKeepsTheRest() throws Exception {
    try (PostgresCdrs cdrs = start()) {
      CallEvent bad =
          end("bad", "x").toBuilder()
              .setEnded(
                  end("bad", "x").getEnded().toBuilder()
                      .setEndTime(Timestamp.newBuilder().setSeconds(31_000_000_000_000L)))
              .build();
      write(cdrs, end("nul", "a\0b"));
      write(cdrs, bad);
      write(cdrs, end("good", "y"));
      assertThat(cdrs.rejected()).isEqualTo(1);
    }
    assertThat(ask("select call_key, caller from cdr where call_key in ('bad', 'good', 'nul')"))
        .containsExactlyInAnyOrder("good|y", "nul|ab");
  }

  @Test
  void waitsForADatabaseThatIsKilledAndComesBack() throws Exception {
    int all = 2_000;
    var done = new CountDownLatch(all);
    try (PostgresServer mortal = PostgresServer.start()) {
      try (PostgresCdrs cdrs = start(mortal)) {
        for (int i = 0; i < all; i++) {
          if (i == all / 2) {
            mortal.kill();
          }
          assertThat(cdrs.take(end("survives-" + i, "s"), done::countDown)).isTrue();
        }
        Awaitility.await().atMost(WITHIN).until(cdrs::isFailing);
        mortal.restart();
        assertThat(done.await(WITHIN.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(cdrs.isFailing()).isFalse();
      }
      assertThat(ask(mortal, "select count(*) from cdr where call_key like 'survives-%'"))
          .containsExactly("" + all);
    }
  }
}
