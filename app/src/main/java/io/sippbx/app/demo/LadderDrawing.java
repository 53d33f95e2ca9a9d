package io.sippbx.app.demo;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Draws a ladder as text: three columns, an arrow a message, the time on the left. Pure. */
final class LadderDrawing {

  /** Characters between two columns. */
  static final int LANE = 40;

  private static final int TIME = 10;
  private static final String MARGIN = " ".repeat(TIME);
  // The least that is left of an arrow, its head among it, on either side of a label.
  private static final int ARROW = 2;

  private final String caller;
  private final String edge;
  private final String callee;

  /** Names of the columns, each well below the width of a lane. */
  LadderDrawing(String caller, String edge, String callee) {
    this.caller = caller;
    this.edge = edge;
    this.callee = callee;
  }

  /**
   * The lines of the picture.
   *
   * @param rows in the order in which they are to stand; the first one's time is zero
   */
  List<String> draw(List<Ladder.Row> rows) {
    var lines = new ArrayList<String>();
    lines.add(heading());
    lines.add(MARGIN + between("", ""));
    for (Ladder.Row row : rows) {
      String time = time(rows.getFirst().at(), row.at());
      lines.add(
          time
              + switch (row) {
                case Ladder.Row.Note(Instant _, String text) -> across(text);
                case Ladder.Row.Message(Instant _, Ladder.Leg leg, boolean toEdge, String label) ->
                    switch (leg) {
                      case CALLER -> between(arrow(label, toEdge), "");
                      case CALLEE -> between("", arrow(label, !toEdge));
                    };
              });
    }
    lines.add(MARGIN + between("", ""));
    return lines;
  }

  private String heading() {
    var line = new StringBuilder(" ".repeat(TIME + 2 * LANE + 3));
    put(line, TIME, caller, 0);
    put(line, TIME + LANE + 1, edge, edge.length() / 2);
    put(line, TIME + 2 * LANE + 2, callee, callee.length() - 1);
    return line.toString().stripTrailing();
  }

  /** Writes {@code text} so that its character {@code anchor} stands in {@code column}. */
  private static void put(StringBuilder line, int column, String text, int anchor) {
    line.replace(column - anchor, column - anchor + text.length(), text);
  }

  private static String between(String left, String right) {
    return "|" + padded(left) + "|" + padded(right) + "|";
  }

  private static String padded(String lane) {
    return lane + " ".repeat(LANE - lane.length());
  }

  private static String arrow(String label, boolean toTheRight) {
    String text = " " + cut(label, LANE - 2 * ARROW - 2) + " ";
    int line = LANE - text.length();
    int before = line / 2;
    return toTheRight
        ? "-".repeat(before) + text + "-".repeat(line - before - 1) + ">"
        : "<" + "-".repeat(before - 1) + text + "-".repeat(line - before);
  }

  private static String across(String note) {
    String text = " " + cut(note, 2 * LANE - 2 * ARROW - 1) + " ";
    int line = 2 * LANE + 1 - text.length();
    return "|" + "=".repeat(line / 2) + text + "=".repeat(line - line / 2) + "|";
  }

  private static String cut(String text, int longest) {
    return text.length() <= longest ? text : text.substring(0, longest - 3) + "...";
  }

  private static String time(Instant first, Instant at) {
    double seconds = Duration.between(first, at).toNanos() / 1e9;
    return String.format(Locale.ROOT, "%" + (TIME - 3) + ".3f s ", seconds);
  }
}
