package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("every (state, event) pair of a call's leaf machines")
class CallMachineTablesTest {

  /** {@code -Dsippbx.writeStateMachines=true} writes the pages instead of comparing them. */
  private static final String WRITE = "sippbx.writeStateMachines";

  /** What a machine does with one pair. */
  record Outcome(Object state, List<? extends Object> actions) {}

  record Page(
      String file,
      String title,
      String source,
      List<Object> states,
      List<Object> events,
      BiFunction<Object, Object, Outcome> next) {
    @Override
    public String toString() {
      return file;
    }
  }

  static Stream<Page> pages() {
    return Stream.of(
        new Page(
            "outgoing-invite.md",
            "A callee's INVITE",
            "OutgoingInvite",
            List.<Object>of((Object[]) OutgoingInvite.State.values()),
            List.<Object>of((Object[]) OutgoingInvite.Event.values()),
            (state, event) -> {
              var step =
                  OutgoingInvite.next((OutgoingInvite.State) state, (OutgoingInvite.Event) event);
              return new Outcome(step.state(), step.actions());
            }),
        new Page(
            "incoming-invite.md",
            "The caller's INVITE",
            "IncomingInvite",
            List.<Object>of((Object[]) IncomingInvite.State.values()),
            List.<Object>of((Object[]) IncomingInvite.Event.values()),
            (state, event) -> {
              var step =
                  IncomingInvite.next((IncomingInvite.State) state, (IncomingInvite.Event) event);
              return new Outcome(step.state(), step.actions());
            }),
        new Page(
            "leg-end.md",
            "The end of a leg",
            "LegEnd",
            List.<Object>of((Object[]) LegEnd.State.values()),
            List.<Object>of((Object[]) LegEnd.Event.values()),
            (state, event) -> {
              var step = LegEnd.next((LegEnd.State) state, (LegEnd.Event) event);
              return new Outcome(step.state(), step.actions());
            }));
  }

  @ParameterizedTest
  @MethodSource("pages")
  void isAsCommitted(Page page) throws IOException {
    Path file = repository().resolve("docs/state-machines").resolve(page.file());
    String now = markdown(page);
    if (Boolean.getBoolean(WRITE)) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, now);
    }
    assertThat(file)
        .as("A change of behaviour shows here. If it is meant, run this test with -D%s=true", WRITE)
        .exists()
        .hasContent(now);
  }

  private static String markdown(Page page) {
    var text = new StringBuilder();
    text.append("# ").append(page.title()).append("\n\n");
    text.append("Generated from `").append(page.source()).append("` by its test. Do not edit.\n\n");
    text.append("```mermaid\nstateDiagram-v2\n");
    text.append("    [*] --> ").append(name(page.states().getFirst())).append('\n');
    for (Object state : page.states()) {
      for (Object target : page.states()) {
        var events = new ArrayList<String>();
        for (Object event : page.events()) {
          Outcome outcome = page.next().apply(state, event);
          if (outcome.state().equals(target)
              && (!target.equals(state) || !outcome.actions().isEmpty())) {
            events.add(words(event));
          }
        }
        if (!events.isEmpty()) {
          text.append("    ")
              .append(name(state))
              .append(" --> ")
              .append(name(target))
              .append(": ")
              .append(String.join(", ", events))
              .append('\n');
        }
      }
    }
    text.append("```\n\n| state | event | next state | actions |\n|---|---|---|---|\n");
    for (Object state : page.states()) {
      for (Object event : page.events()) {
        Outcome outcome = page.next().apply(state, event);
        boolean absorbed = outcome.state().equals(state) && outcome.actions().isEmpty();
        text.append("| ")
            .append(name(state))
            .append(" | ")
            .append(words(event))
            .append(" | ")
            .append(absorbed ? "absorbed" : name(outcome.state()))
            .append(" | ")
            .append(
                String.join(
                    ", ", outcome.actions().stream().map(CallMachineTablesTest::words).toList()))
            .append(" |\n");
      }
    }
    return text.toString();
  }

  private static String name(Object state) {
    var name = new StringBuilder();
    for (String word : state.toString().split("_", -1)) {
      name.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return name.toString();
  }

  private static String words(Object constant) {
    return constant.toString().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Path repository() {
    Path path = Path.of("").toAbsolutePath();
    while (!Files.exists(path.resolve(".mvn"))) {
      path = Objects.requireNonNull(path.getParent(), "the repository's root");
    }
    return path;
  }
}
