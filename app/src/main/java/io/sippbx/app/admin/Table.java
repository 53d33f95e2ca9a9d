package io.sippbx.app.admin;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows under a header, each column as wide as its widest value; what is empty is a hyphen. */
final class Table {

  private final List<List<String>> rows = new ArrayList<>();

  Table(String... header) {
    rows.add(List.of(header));
  }

  /** Adds a row of as many values as the header has. */
  void row(String... values) {
    if (values.length != rows.getFirst().size()) {
      throw new IllegalArgumentException(
          "Expected " + rows.getFirst().size() + " values, but got " + values.length);
    }
    var row = new ArrayList<String>();
    for (String value : values) {
      row.add(value.isEmpty() ? "-" : printable(value));
    }
    rows.add(row);
  }

  /** What phones have sent must not steer the terminal. */
  private static String printable(String value) {
    var text = new StringBuilder();
    value.codePoints().map(c -> Character.isISOControl(c) ? '?' : c).forEach(text::appendCodePoint);
    return text.toString();
  }

  void print(PrintWriter out) {
    int columns = rows.getFirst().size();
    var widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      var line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
      }
      out.println(line.toString().stripTrailing());
    }
    out.flush();
  }
}
