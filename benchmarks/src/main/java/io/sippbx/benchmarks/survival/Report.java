package io.sippbx.benchmarks.survival;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The table, as Markdown and as JSON. */
final class Report {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Where and how it was made.
   *
   * @param date as in ISO 8601
   * @param machine its size
   * @param fleet what was started
   */
  record Head(String date, String command, String machine, String fleet, String revision) {}

  private final Head head;
  private final List<Outcome> outcomes = new ArrayList<>();

  Report(Head head) {
    this.head = head;
  }

  void add(Outcome outcome) {
    outcomes.add(outcome);
  }

  String markdown() {
    var text = new StringBuilder();
    text.append("# The survival table\n");
    text.append("What becomes of calls when a process is killed, phase by phase. Made by `")
        .append(head.command())
        .append("` on ")
        .append(head.date())
        .append(", revision ")
        .append(head.revision())
        .append(".\n\n- machine: ")
        .append(head.machine())
        .append("\n- fleet: ")
        .append(head.fleet())
        .append(
            """

            - **calls** were held in their phase when the victim died; **kept** came to their proper end afterwards: answered, both phones hearing each other, hung up by one with the other told (CANCEL: the callee's 487 acknowledged, the caller told). What is not kept is lost, and its reason stands below the table.
            - **at the victim**: kept / all of those whose last request to the callee (its Via's branch) the dying control node had sent.
            - **silence**: the longest pause in what either phone heard from the death to the end of the talk, ms, p50 / p99; **usual**: the same from the beginning of the hold to the death, on this machine.
            - **first answer**: ms, p50 / p99, from the death, or from what a phone said first after it, to the first SIP message that its phones heard.
            - **TCP, open on a dead connection**: a request waited for its answer, and a connection of the call died with the victim. RFC 3261 lets a phone give such a request up; ours go on to listen at their Via's address.
            """);
    for (Outcome each : outcomes) {
      section(text, each);
    }
    return text.toString();
  }

  private static void section(StringBuilder text, Outcome outcome) {
    text.append("\n## ").append(outcome.victim().title()).append('\n');
    text.append(
        """
        | phase | transport | calls | kept | lost | at the victim | silence | usual | first answer |
        |---|---|---|---|---|---|---|---|---|
        """);
    outcome.rows().forEach(row -> text.append(row.markdown()).append('\n'));
    text.append("\nKept ")
        .append(outcome.kept())
        .append(" of ")
        .append(outcome.calls())
        .append(". Left afterwards: ")
        .append(outcome.recordsLeft())
        .append(" records, ")
        .append(outcome.indexedLeft())
        .append(" index entries, ")
        .append(outcome.portsLeft())
        .append(" ports. CDRs: ")
        .append(outcome.cdrs().one())
        .append(" calls have one, ")
        .append(outcome.cdrs().none())
        .append(" none, ")
        .append(outcome.cdrs().more())
        .append(" more. Messages from another address than the shared one: ")
        .append(outcome.foreign())
        .append(".\n");
    for (Row row : outcome.rows()) {
      for (Map.Entry<String, Integer> reason : row.reasons().entrySet()) {
        text.append("- lost, ")
            .append(row.phase().title())
            .append(", ")
            .append(row.transport())
            .append(": ")
            .append(reason.getValue())
            .append(" x ")
            .append(reason.getKey())
            .append('\n');
      }
    }
    outcome
        .notSetUp()
        .forEach(
            (why, count) ->
                text.append("- not set up before the death: ")
                    .append(count)
                    .append(" x ")
                    .append(why)
                    .append('\n'));
    outcome.notes().forEach(note -> text.append("- ").append(note).append('\n'));
  }

  String json() throws IOException {
    ObjectNode root = JSON.createObjectNode();
    root.put("date", head.date());
    root.put("command", head.command());
    root.put("machine", head.machine());
    root.put("fleet", head.fleet());
    root.put("revision", head.revision());
    ArrayNode all = root.putArray("victims");
    for (Outcome outcome : outcomes) {
      ObjectNode one = all.addObject();
      one.put("victim", outcome.victim().option());
      one.put("calls", outcome.calls());
      one.put("kept", outcome.kept());
      one.put("records_left", outcome.recordsLeft());
      one.put("index_entries_left", outcome.indexedLeft());
      one.put("ports_left", outcome.portsLeft());
      one.put("calls_without_cdr", outcome.cdrs().none());
      one.put("calls_with_one_cdr", outcome.cdrs().one());
      one.put("calls_with_more_cdrs", outcome.cdrs().more());
      one.put("messages_from_other_addresses", outcome.foreign());
      counts(one.putObject("not_set_up"), outcome.notSetUp());
      ArrayNode notes = one.putArray("notes");
      outcome.notes().forEach(notes::add);
      ArrayNode rows = one.putArray("rows");
      for (Row row : outcome.rows()) {
        ObjectNode line = rows.addObject();
        line.put("phase", row.phase().option());
        line.put("transport", row.transport());
        line.put("calls", row.calls());
        line.put("kept", row.kept());
        line.put("lost", row.lost());
        line.put("at_victim", row.atVictim());
        line.put("kept_at_victim", row.keptAtVictim());
        percentiles(line, "silence_ms", row.silenceMs());
        percentiles(line, "usual_silence_ms", row.usualSilenceMs());
        percentiles(line, "first_answer_ms", row.firstAnswerMs());
        counts(line.putObject("reasons"), row.reasons());
      }
    }
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
  }

  private static void counts(ObjectNode to, Map<String, Integer> counts) {
    counts.forEach(to::put);
  }

  private static void percentiles(ObjectNode line, String name, List<Long> sorted) {
    Row.percentile(sorted, 50).ifPresent(value -> line.put(name + "_p50", value));
    Row.percentile(sorted, 99).ifPresent(value -> line.put(name + "_p99", value));
  }

  /** Writes both files. */
  void write(Path markdown, Path json) throws IOException {
    Files.writeString(markdown, markdown());
    Files.writeString(json, json());
  }
}
