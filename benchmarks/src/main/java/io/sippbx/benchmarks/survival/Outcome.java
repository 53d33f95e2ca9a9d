package io.sippbx.benchmarks.survival;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a victim's death did.
 *
 * @param notSetUp why calls did not come as far as their phase, with their number
 * @param recordsLeft records of calls that are no tombstones
 * @param indexedLeft entries of in-flight, on-media and timers
 * @param portsLeft ports that living media nodes have lent
 * @param cdrs how many calls have no, one, and more call detail records
 * @param foreign messages that came from another address than the shared one
 * @param notes anything to be said of the run
 */
record Outcome(
    Victim victim,
    List<Row> rows,
    Map<String, Integer> notSetUp,
    int recordsLeft,
    int indexedLeft,
    int portsLeft,
    Cdrs cdrs,
    int foreign,
    List<String> notes) {

  /** Calls by how many call detail records they have. */
  record Cdrs(int none, int one, int more) {

    static Cdrs of(List<String> callIds, Map<String, Integer> found) {
      int none = 0;
      int one = 0;
      int more = 0;
      for (String each : callIds) {
        int count = found.getOrDefault(each, 0);
        none += count == 0 ? 1 : 0;
        one += count == 1 ? 1 : 0;
        more += count > 1 ? 1 : 0;
      }
      return new Cdrs(none, one, more);
    }
  }

  /** The lines of the table, a phase after another, transports beside each other. */
  static List<Row> rows(List<Row.Result> results) {
    var grouped = new LinkedHashMap<String, List<Row.Result>>();
    for (Phase phase : Phase.values()) {
      for (String transport : Transports.ALL) {
        for (Row.Result each : results) {
          if (each.phase() == phase && each.transport().equals(transport)) {
            grouped.computeIfAbsent(phase + transport, key -> new ArrayList<>()).add(each);
          }
        }
      }
    }
    var rows = new ArrayList<Row>();
    for (List<Row.Result> group : grouped.values()) {
      rows.add(Row.of(group.getFirst().phase(), group.getFirst().transport(), group));
    }
    return rows;
  }

  int calls() {
    return rows.stream().mapToInt(Row::calls).sum();
  }

  int kept() {
    return rows.stream().mapToInt(Row::kept).sum();
  }

  /** Names of transports as the table has them. */
  static final class Transports {
    static final String UDP = "UDP";
    static final String TCP = "TCP";
    static final String TCP_OPEN = "TCP, open on a dead connection";
    static final List<String> ALL = List.of(UDP, TCP, TCP_OPEN);

    private Transports() {}
  }
}
