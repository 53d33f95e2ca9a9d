package io.sippbx.control.sip.transaction;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeSet;

/**
 * All (state, event) pairs of a machine, run and written down as a Markdown page with a table and a
 * Mermaid diagram.
 *
 * @param states one representative or more of each kind
 * @param events the same
 * @param starts how the machine begins: text, and the first step, over UDP and over TCP
 */
record MachineTable<S, E>(
    String title,
    String machine,
    List<S> states,
    List<E> events,
    List<Start<S>> starts,
    Transition<S, E> unreliable,
    Transition<S, E> reliable) {

  /** A step of any machine. */
  record Outcome<S>(S state, List<? extends Object> actions) {}

  /** A machine's transition function. */
  interface Transition<S, E> {
    Outcome<S> next(S state, E event);
  }

  /** A way to begin. */
  record Start<S>(String how, Outcome<S> unreliable, Outcome<S> reliable) {}

  /** The simple names of the kinds that a sealed interface permits and that {@code values} miss. */
  static List<String> missing(Class<?> sealed, List<?> values) {
    var missing = new ArrayList<String>();
    for (Class<?> kind : sealed.getPermittedSubclasses()) {
      if (values.stream().noneMatch(kind::isInstance)) {
        missing.add(kind.getSimpleName());
      }
    }
    return missing;
  }

  String markdown() {
    var page = new StringBuilder();
    page.append("# ").append(title).append("\n\n");
    page.append("Generated from `")
        .append(machine)
        .append("` by its test, with T1 = 500 ms, T2 = 4 s and T4 = 5 s. Do not edit.\n\n");
    diagram(page);
    page.append("## How it begins\n\n");
    page.append("| how | state | over UDP | over a reliable transport |\n|---|---|---|---|\n");
    for (Start<S> start : starts) {
      row(page, start.how(), start.unreliable(), start.reliable());
    }
    page.append("\n## Every pair\n\n");
    page.append(
        "A dash is a pair that is absorbed: the state is kept, there is nothing to do.\n\n");
    page.append("| state | event | next state | over UDP | over a reliable transport |\n");
    page.append("|---|---|---|---|---|\n");
    for (S state : states) {
      for (E event : events) {
        Outcome<S> udp = unreliable.next(state, event);
        Outcome<S> tcp = reliable.next(state, event);
        String left = text(state) + " | " + text(event);
        if (absorbed(state, udp) && absorbed(state, tcp)) {
          page.append("| ").append(left).append(" | - | | |\n");
        } else {
          row(page, left, udp, tcp);
        }
      }
    }
    return page.toString();
  }

  private static <S> void row(
      StringBuilder page, String left, Outcome<S> unreliable, Outcome<S> reliable) {
    if (!unreliable.state().equals(reliable.state())) {
      throw new IllegalStateException("Expected one next state, but got " + left);
    }
    String actions = text(unreliable.actions());
    String same = text(reliable.actions()).equals(actions) ? "the same" : text(reliable.actions());
    page.append("| ").append(left).append(" | ").append(text(unreliable.state()));
    page.append(" | ").append(actions).append(" | ").append(actions.isEmpty() ? "" : same);
    page.append(" |\n");
  }

  private void diagram(StringBuilder page) {
    Map<String, TreeSet<String>> arrows = new LinkedHashMap<>();
    for (S state : states) {
      for (E event : events) {
        Outcome<S> outcome = unreliable.next(state, event);
        if (!absorbed(state, outcome)) {
          arrows
              .computeIfAbsent(
                  name(state) + " --> " + name(outcome.state()), key -> new TreeSet<>())
              .add(label(event));
        }
      }
    }
    page.append("```mermaid\nstateDiagram-v2\n");
    page.append("    [*] --> ").append(name(starts.getFirst().unreliable().state())).append('\n');
    arrows.forEach(
        (arrow, labels) -> {
          page.append("    ").append(arrow).append(": ");
          page.append(String.join(", ", labels)).append('\n');
        });
    page.append("    Terminated --> [*]\n```\n\n");
  }

  private boolean absorbed(S state, Outcome<S> outcome) {
    return state.equals(outcome.state()) && outcome.actions().isEmpty();
  }

  private static String name(Object state) {
    return state.getClass().getSimpleName();
  }

  private static String label(Object event) {
    return text(event).replace("ResponseReceived ", "").replace("TimerFired ", "timer ");
  }

  private static String text(List<? extends Object> actions) {
    var text = new StringJoiner("; ");
    for (Object action : actions) {
      text.add(text(action));
    }
    return text.toString();
  }

  /** {@code StartTimer A 500 ms}: the name and the components of a record. */
  private static String text(Object value) {
    return switch (value) {
      case Duration duration -> duration.toMillis() + " ms";
      case Record message -> {
        var text = new StringJoiner(" ").add(message.getClass().getSimpleName());
        RecordComponent[] components = message.getClass().getRecordComponents();
        Arrays.stream(components)
            .map(component -> component(message, component))
            .forEach(text::add);
        yield text.toString();
      }
      default -> value.toString();
    };
  }

  private static String component(Record message, RecordComponent component) {
    try {
      Object value = component.getAccessor().invoke(message);
      return component.getType() == boolean.class ? component.getName() + "=" + value : text(value);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(component.toString(), e);
    }
  }
}
