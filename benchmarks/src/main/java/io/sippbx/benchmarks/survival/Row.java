package io.sippbx.benchmarks.survival;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One line of the table: calls of one phase and transport.
 *
 * @param atVictim how many of them the victim had in hand, by the branch of the edge's last request
 * @param reasons why calls were lost, with their number
 * @param silenceMs sorted; of the calls whose silence means something
 * @param usualSilenceMs sorted; the same before the victim died
 * @param firstAnswerMs sorted
 */
record Row(
    Phase phase,
    String transport,
    int calls,
    int kept,
    int atVictim,
    int keptAtVictim,
    Map<String, Integer> reasons,
    List<Long> silenceMs,
    List<Long> usualSilenceMs,
    List<Long> firstAnswerMs) {

  static Row of(Phase phase, String transport, List<Result> results) {
    var reasons = new LinkedHashMap<String, Integer>();
    var silence = new ArrayList<Long>();
    var usual = new ArrayList<Long>();
    var first = new ArrayList<Long>();
    int kept = 0;
    int atVictim = 0;
    int keptAtVictim = 0;
    for (Result each : results) {
      kept += each.isKept() ? 1 : 0;
      atVictim += each.atVictim() ? 1 : 0;
      keptAtVictim += each.isKept() && each.atVictim() ? 1 : 0;
      if (!each.isKept()) {
        reasons.merge(each.loss(), 1, Integer::sum);
      }
      if (phase.hasMedia()) {
        silence.add(each.silence().toMillis());
        usual.add(each.usualSilence().toMillis());
      }
      each.firstAnswer().map(Duration::toMillis).ifPresent(first::add);
    }
    silence.sort(null);
    usual.sort(null);
    first.sort(null);
    return new Row(
        phase,
        transport,
        results.size(),
        kept,
        atVictim,
        keptAtVictim,
        reasons,
        silence,
        usual,
        first);
  }

  int lost() {
    return calls - kept;
  }

  /** The value that so many per cent do not exceed, by nearest rank. */
  static Optional<Long> percentile(List<Long> sorted, int percent) {
    if (sorted.isEmpty()) {
      return Optional.empty();
    }
    int rank = (int) Math.ceil(percent / 100.0 * sorted.size());
    return Optional.of(sorted.get(Math.max(0, rank - 1)));
  }

  String markdown() {
    return String.format(
        Locale.ROOT,
        "| %s | %s | %d | %d | %d | %d/%d | %s | %s | %s |",
        phase.title(),
        transport,
        calls,
        kept,
        lost(),
        keptAtVictim,
        atVictim,
        both(silenceMs),
        both(usualSilenceMs),
        both(firstAnswerMs));
  }

  private static String both(List<Long> sorted) {
    return sorted.isEmpty()
        ? "-"
        : percentile(sorted, 50).orElseThrow() + " / " + percentile(sorted, 99).orElseThrow();
  }

  /**
   * What became of one call.
   *
   * @param atVictim whether the victim had it in hand
   */
  record Result(
      Phase phase,
      String transport,
      boolean isKept,
      String loss,
      boolean atVictim,
      Duration silence,
      Duration usualSilence,
      Optional<Duration> firstAnswer,
      String callId) {}
}
