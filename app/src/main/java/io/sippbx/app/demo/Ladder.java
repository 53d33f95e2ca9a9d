package io.sippbx.app.demo;

import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.MessageTracer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps what went over the wire between each phone and the edge, repeats included, as the phones
 * saw it. Any thread.
 */
final class Ladder {

  /** Which leg. */
  enum Leg {
    CALLER,
    CALLEE
  }

  /** One row of the picture. */
  sealed interface Row {
    /** When it was seen. */
    Instant at();

    /** A message on one leg. */
    record Message(Instant at, Leg leg, boolean toEdge, String label) implements Row {}

    /** Something that both phones do for a while. */
    record Note(Instant at, String text) implements Row {}
  }

  // A call takes about thirty; only a phone and an edge that quarrel make more.
  private static final int MAX_ROWS = 500;

  private final List<Row> rows = new ArrayList<>();
  private int leftOut;

  /** What a phone's transport is to be traced with. */
  MessageTracer tracer(Leg leg) {
    return new MessageTracer() {
      @Override
      public void received(byte[] octets, Flow flow, Instant at) {
        add(new Row.Message(at, leg, false, label(octets)));
      }

      @Override
      public void sent(byte[] octets, Flow flow, Instant at) {
        add(new Row.Message(at, leg, true, label(octets)));
      }
    };
  }

  /** Writes a line across both legs. */
  void note(Instant at, String text) {
    add(new Row.Note(at, text));
  }

  private static String label(byte[] octets) {
    return switch (SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT)) {
      case ParseResult.Parsed(SipMessage message, int _) -> MessageLabel.of(message);
      case ParseResult.Malformed malformed -> "malformed: " + malformed.reason();
      case ParseResult.KeepAlive _ -> "keep-alive";
      case ParseResult.NeedMoreBytes _ -> "half a message";
    };
  }

  private synchronized void add(Row row) {
    if (rows.size() < MAX_ROWS) {
      rows.add(row);
    } else {
      leftOut++;
    }
  }

  /** All rows, by the time at which they were seen. */
  synchronized List<Row> rows() {
    var sorted = new ArrayList<Row>(rows);
    // Two loops write; what is of one instant stays in the order in which it was told.
    sorted.sort((a, b) -> a.at().compareTo(b.at()));
    return sorted;
  }

  /** Rows for which there was no room. */
  synchronized int leftOut() {
    return leftOut;
  }
}
