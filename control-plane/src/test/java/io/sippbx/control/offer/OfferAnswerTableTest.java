package io.sippbx.control.offer;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.offer.OfferAnswer.Action;
import io.sippbx.control.offer.OfferAnswer.Carrier;
import io.sippbx.control.offer.OfferAnswer.Event;
import io.sippbx.control.offer.OfferAnswer.Invite;
import io.sippbx.control.offer.OfferAnswer.Message;
import io.sippbx.control.offer.OfferAnswer.State;
import io.sippbx.control.offer.OfferAnswer.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Runs every (state, event) pair that can be reached and holds the result against
 * docs/state-machines/offer-answer.md, so that a change of behaviour is a visible difference. To
 * write the file anew: {@code -Dsippbx.tables.write=true}.
 */
class OfferAnswerTableTest {

  private static final Path FILE = Path.of("..", "docs", "state-machines", "offer-answer.md");

  /** All states, from the first on, in the order in which they are met. */
  static List<State> reachable() {
    Set<State> seen = new LinkedHashSet<>(List.of(OfferAnswer.start()));
    var open = new ArrayList<>(seen);
    for (int i = 0; i < open.size(); i++) {
      for (Event event : events()) {
        State next = OfferAnswer.next(open.get(i), event).state();
        if (seen.add(next)) {
          open.add(next);
        }
      }
    }
    return open;
  }

  private static List<Event> events() {
    var events = new ArrayList<Event>();
    for (Message message : Message.values()) {
      for (boolean sdp : new boolean[] {true, false}) {
        // What fails carries no offer and no answer.
        if (!sdp || message != Message.FAILURE && message != Message.UPDATE_FAILURE) {
          events.add(new Event.Sent(message, sdp));
          events.add(new Event.Received(message, sdp));
        }
      }
    }
    return events;
  }

  @Test
  void theCommittedTableIsWhatTheMachineDoes() throws IOException {
    String table = table();
    if (Boolean.getBoolean("sippbx.tables.write")) {
      Files.createDirectories(FILE.getParent());
      Files.writeString(FILE, table);
    }
    assertThat(Files.readString(FILE)).isEqualTo(table);
  }

  @Test
  void noPairEndsInAStateThatCannotBe() {
    for (State state : reachable()) {
      switch (state) {
        case State.LocalOffer(
                Carrier carrier,
                Invite invite,
                boolean agreed,
                boolean previewed) -> {
          assertThat(!previewed || carrier == Carrier.INVITE).as("%s", state).isTrue();
          assertCarrier(state, carrier, invite, Invite.OURS, agreed);
        }
        case State.RemoteOffer(Carrier carrier, Invite invite, boolean agreed) ->
            assertCarrier(state, carrier, invite, Invite.THEIRS, agreed);
        case State.Idle(),
            State.Stable(Invite _),
            State.OfferExpected(boolean _),
            State.OfferDue(boolean _) -> {}
      }
    }
  }

  private static void assertCarrier(
      State state, Carrier carrier, Invite invite, Invite offerer, boolean agreed) {
    Invite other = offerer == Invite.OURS ? Invite.THEIRS : Invite.OURS;
    boolean consistent =
        switch (carrier) {
          case INVITE -> invite == offerer;
          case SUCCESS, RELIABLE_PROVISIONAL -> invite == other;
          case UPDATE, PRACK -> agreed;
        };
    assertThat(consistent).as("%s", state).isTrue();
  }

  @Test
  void refusalsAndForbiddenThingsChangeNothing() {
    for (State state : reachable()) {
      for (Event event : events()) {
        Step step = OfferAnswer.next(state, event);
        boolean refused =
            step.actions().stream()
                .anyMatch(a -> a instanceof Action.Refuse || a instanceof Action.Forbidden);
        if (refused) {
          assertThat(step.state()).as("%s %s", state, event).isEqualTo(state);
          assertThat(step.actions()).hasSize(1);
        }
        // Only what is received can be refused or taken, only what is sent can be forbidden.
        boolean forbidden = step.actions().contains(new Action.Forbidden());
        assertThat(forbidden && event instanceof Event.Received).isFalse();
      }
    }
  }

  @Test
  void everyOpenExchangeCanEnd() {
    for (State state : reachable()) {
      Set<State> seen = new LinkedHashSet<>(List.of(state));
      var open = new ArrayList<>(seen);
      boolean ends = false;
      for (int i = 0; i < open.size() && !ends; i++) {
        ends =
            open.get(i) instanceof State.Idle || open.get(i).equals(new State.Stable(Invite.NONE));
        for (Event event : events()) {
          State next = OfferAnswer.next(open.get(i), event).state();
          if (seen.add(next)) {
            open.add(next);
          }
        }
      }
      assertThat(ends).as("%s", state).isTrue();
    }
  }

  private static String table() {
    var text = new StringBuilder();
    text.append("# Offer and answer\n\n");
    text.append("Generated from `OfferAnswer` by its test. Do not edit.\n\n");
    text.append(
        "\"+SDP\": with a session description. After a state's name stands what it knows:\n");
    text.append(
        "the carrier of the open offer, whose INVITE is in progress if one is, whether a\n");
    text.append("session was agreed before, and whether a preview of the answer has come.\n\n");
    text.append("```mermaid\nstateDiagram-v2\n    [*] --> Idle\n");
    diagram()
        .forEach(
            (arrow, labels) ->
                text.append("    ")
                    .append(arrow)
                    .append(": ")
                    .append(String.join(", ", labels))
                    .append('\n'));
    text.append("```\n\n## Every pair\n\n");
    text.append("Pairs that are not listed are absorbed: the state is kept, there is nothing to\n");
    text.append("do, and a session description is ignored.\n");
    for (State state : reachable()) {
      text.append("\n### ").append(name(state)).append("\n\n");
      text.append("| event | next state | actions |\n|---|---|---|\n");
      int absorbed = 0;
      for (Event event : events()) {
        Step step = OfferAnswer.next(state, event);
        if (step.equals(new Step(state, List.of()))) {
          absorbed++;
          continue;
        }
        text.append("| ").append(name(event)).append(" | ");
        text.append(step.state().equals(state) ? "the same" : name(step.state())).append(" | ");
        text.append(String.join("; ", step.actions().stream().map(a -> name(a)).toList()));
        text.append(" |\n");
      }
      text.append("\nAbsorbed: ").append(absorbed).append(" of ").append(events().size());
      text.append(" events.\n");
    }
    return text.toString();
  }

  /** Arrows between kinds of states, without those that refuse or stay. */
  private static Map<String, Set<String>> diagram() {
    var arrows = new LinkedHashMap<String, Set<String>>();
    for (State state : reachable()) {
      for (Event event : events()) {
        State next = OfferAnswer.next(state, event).state();
        if (!next.getClass().equals(state.getClass())) {
          arrows
              .computeIfAbsent(
                  state.getClass().getSimpleName() + " --> " + next.getClass().getSimpleName(),
                  arrow -> new LinkedHashSet<>())
              .add(name(event));
        }
      }
    }
    return arrows;
  }

  private static String name(Event event) {
    return switch (event) {
      case Event.Sent(Message message, boolean sdp) -> "sent " + message + (sdp ? " +SDP" : "");
      case Event.Received(Message message, boolean sdp) ->
          "received " + message + (sdp ? " +SDP" : "");
    };
  }

  private static String name(Action action) {
    return action instanceof Action.Refuse(int status)
        ? "Refuse " + status
        : action.getClass().getSimpleName();
  }

  private static String name(State state) {
    return switch (state) {
      case State.Idle() -> "Idle";
      case State.Stable(Invite invite) -> "Stable" + name(invite);
      case State.OfferExpected(boolean agreed) -> "OfferExpected" + agreed(agreed);
      case State.OfferDue(boolean agreed) -> "OfferDue" + agreed(agreed);
      case State.LocalOffer(Carrier carrier, Invite invite, boolean agreed, boolean previewed) ->
          "LocalOffer in "
              + carrier
              + name(invite)
              + agreed(agreed)
              + (previewed ? ", previewed" : "");
      case State.RemoteOffer(Carrier carrier, Invite invite, boolean agreed) ->
          "RemoteOffer in " + carrier + name(invite) + agreed(agreed);
    };
  }

  private static String name(Invite invite) {
    return switch (invite) {
      case NONE -> "";
      case OURS -> ", INVITE of ours";
      case THEIRS -> ", INVITE of theirs";
    };
  }

  private static String agreed(boolean agreed) {
    return agreed ? ", agreed before" : "";
  }
}
