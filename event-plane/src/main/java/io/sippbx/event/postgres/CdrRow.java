package io.sippbx.event.postgres;

import com.google.protobuf.Timestamp;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.Ended;
import io.sippbx.proto.event.v1.MediaSummary;
import io.sippbx.proto.event.v1.Party;
import io.sippbx.proto.event.v1.Result;
import java.math.BigDecimal;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;

/** From the event that ends a call to its row: what docs/CDR.md says of a line. */
final class CdrRow {

  static final String INSERT =
      """
      insert into cdr (call_key, call_id, callee_call_id, caller, callee, caller_uri, callee_uri,
        caller_ip, callee_ip, start_time, answer_time, end_time, duration, billable_duration,
        setup_ms, status, termination_reason, sip_status, codec, node, media_node,
        caller_packets, caller_bytes, caller_lost, callee_packets, callee_bytes, callee_lost,
        caller_jitter_ms, callee_jitter_ms, post_dial_delay_ms, first_node, recovered, last_known_up)
      values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
      on conflict (call_key) do nothing
      """;

  private CdrRow() {}

  static void bind(PreparedStatement statement, CallEvent event) throws SQLException {
    Ended ended = event.getEnded();
    Instant start = instant(ended.getStartTime());
    Instant end = instant(ended.getEndTime());
    boolean answered = ended.hasAnswerTime();
    Instant answer = instant(ended.getAnswerTime());
    var row = new Row(statement);
    row.text(event.getCallKey());
    row.text(ended.getCaller().getCallId());
    row.text(ended.getCallee().getCallId());
    row.text(name(ended.getCaller()));
    row.text(name(ended.getCallee()));
    row.text(ended.getCaller().getUri());
    row.text(ended.getCallee().getUri());
    row.text(ended.getCaller().getIp());
    row.text(ended.getCallee().getIp());
    row.time(start);
    if (answered) {
      row.time(answer);
    } else {
      row.nothing(Types.TIMESTAMP_WITH_TIMEZONE);
    }
    row.time(end);
    row.number(seconds(start, end));
    row.number(answered ? seconds(answer, end) : 0);
    if (answered) {
      row.number(Math.max(0, Duration.between(start, answer).toMillis()));
    } else {
      row.nothing(Types.BIGINT);
    }
    row.text(status(ended.getResult()));
    row.text(ended.getReason());
    row.number(ended.getSipStatus());
    row.text(ended.getCodec());
    row.text(event.getNodeId());
    row.text(ended.getMediaNodeId());
    MediaSummary media = ended.getMedia();
    row.number(media.getCallerPackets());
    row.number(media.getCallerBytes());
    row.number(media.getCallerLost());
    row.number(media.getCalleePackets());
    row.number(media.getCalleeBytes());
    row.number(media.getCalleeLost());
    row.millis(media.getCallerJitterUs());
    row.millis(media.getCalleeJitterUs());
    if (ended.hasProgressTime()) {
      row.number(Math.max(0, Duration.between(start, instant(ended.getProgressTime())).toMillis()));
    } else {
      row.nothing(Types.BIGINT);
    }
    row.text(ended.getFirstNodeId());
    row.bool(ended.getRecovered());
    if (ended.getRecovered()) {
      row.time(instant(ended.getLastKnownUp()));
    } else {
      row.nothing(Types.TIMESTAMP_WITH_TIMEZONE);
    }
  }

  /** Binds one column after the other. */
  private static final class Row {
    private final PreparedStatement statement;
    private int column;

    Row(PreparedStatement statement) {
      this.statement = statement;
    }

    void text(String value) throws SQLException {
      // PostgreSQL holds no NUL; a phone may send one, escaped, in a URI.
      statement.setString(++column, value.isEmpty() ? null : value.replace("\0", ""));
    }

    void number(long value) throws SQLException {
      statement.setLong(++column, value);
    }

    /** Of microseconds; nothing of 0. */
    void millis(long micros) throws SQLException {
      statement.setBigDecimal(++column, micros == 0 ? null : BigDecimal.valueOf(micros, 3));
    }

    void bool(boolean value) throws SQLException {
      statement.setBoolean(++column, value);
    }

    void time(Instant value) throws SQLException {
      statement.setObject(++column, OffsetDateTime.ofInstant(value, ZoneOffset.UTC));
    }

    void nothing(int type) throws SQLException {
      statement.setNull(++column, type);
    }
  }

  /** As in the line: of whole seconds, so that who subtracts gets the same. */
  private static long seconds(Instant from, Instant to) {
    return Math.max(
        0,
        Duration.between(from.truncatedTo(ChronoUnit.SECONDS), to.truncatedTo(ChronoUnit.SECONDS))
            .toSeconds());
  }

  private static String name(Party party) {
    return party.getUser().isEmpty() ? party.getUri() : party.getUser();
  }

  private static String status(Result result) {
    return switch (result) {
      case RESULT_COMPLETED -> "completed";
      case RESULT_CANCELLED -> "cancelled";
      case RESULT_BUSY -> "busy";
      case RESULT_NO_ANSWER -> "no_answer";
      case RESULT_REJECTED -> "rejected";
      case RESULT_FAILED, RESULT_UNSPECIFIED, UNRECOGNIZED -> "failed";
    };
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
