package io.sippbx.control.sip.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.transaction.MachineTable.Outcome;
import io.sippbx.control.sip.transaction.MachineTable.Start;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("every (state, event) pair of the transaction machines")
class StateMachineTablesTest {

  /** {@code -Dsippbx.writeStateMachines=true} writes the pages instead of comparing them. */
  private static final String WRITE = "sippbx.writeStateMachines";

  private static final TimerSettings TIMERS = TimerSettings.RFC_3261;

  static Stream<Page> pages() {
    return Stream.of(
        new Page("invite-client-transaction.md", inviteClient()),
        new Page("non-invite-client-transaction.md", nonInviteClient()),
        new Page("invite-server-transaction.md", inviteServer()),
        new Page("non-invite-server-transaction.md", nonInviteServer()));
  }

  record Page(String file, MachineTable<?, ?> table) {
    @Override
    public String toString() {
      return file;
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  void isAsCommitted(Page page) throws IOException {
    Path file = repository().resolve("docs/state-machines").resolve(page.file());
    String now = page.table().markdown();
    if (Boolean.getBoolean(WRITE)) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, now);
    }
    assertThat(file)
        .as(
            "A change of behaviour shows here. If it is meant, write the pages again: "
                + "mvn -pl control-plane -am test -Dtest=StateMachineTablesTest"
                + " -Dsurefire.failIfNoSpecifiedTests=false -D"
                + WRITE
                + "=true")
        .exists()
        .hasContent(now);
  }

  private static MachineTable<?, ?> inviteClient() {
    var udp = new InviteClientTransaction(TIMERS, false);
    var tcp = new InviteClientTransaction(TIMERS, true);
    List<InviteClientTransaction.State> states =
        List.of(
            new InviteClientTransaction.State.Calling(Duration.ofMillis(500)),
            new InviteClientTransaction.State.Calling(Duration.ofSeconds(16)),
            new InviteClientTransaction.State.Proceeding(false),
            new InviteClientTransaction.State.Proceeding(true),
            new InviteClientTransaction.State.Refused(),
            new InviteClientTransaction.State.Completed(),
            new InviteClientTransaction.State.Accepted(),
            new InviteClientTransaction.State.Terminated());
    var events = new ArrayList<InviteClientTransaction.Event>();
    for (int status : new int[] {100, 180, 200, 299, 300, 486, 699}) {
      events.add(new InviteClientTransaction.Event.ResponseReceived(status));
    }
    for (var timer : InviteClientTransaction.Timer.values()) {
      events.add(new InviteClientTransaction.Event.TimerFired(timer));
    }
    events.add(new InviteClientTransaction.Event.TransportFailed());
    events.add(new InviteClientTransaction.Event.Cancelled());
    events.add(new InviteClientTransaction.Event.Acknowledged());
    events.add(new InviteClientTransaction.Event.Abandoned());
    assertThat(MachineTable.missing(InviteClientTransaction.State.class, states)).isEmpty();
    assertThat(MachineTable.missing(InviteClientTransaction.Event.class, events)).isEmpty();
    var left = Duration.ofSeconds(7);
    return new MachineTable<>(
        "INVITE client transaction",
        "InviteClientTransaction",
        states,
        events,
        List.of(
            new Start<>("start", of(udp.start()), of(tcp.start())),
            new Start<>("resume with 7 s left", of(udp.resume(left)), of(tcp.resume(left)))),
        (state, event) -> of(udp.next(state, event)),
        (state, event) -> of(tcp.next(state, event)));
  }

  private static MachineTable<?, ?> nonInviteClient() {
    var udp = new NonInviteClientTransaction(TIMERS, false);
    var tcp = new NonInviteClientTransaction(TIMERS, true);
    List<NonInviteClientTransaction.State> states =
        List.of(
            new NonInviteClientTransaction.State.Trying(Duration.ofMillis(500)),
            new NonInviteClientTransaction.State.Trying(Duration.ofSeconds(4)),
            new NonInviteClientTransaction.State.Proceeding(),
            new NonInviteClientTransaction.State.Completed(),
            new NonInviteClientTransaction.State.Terminated());
    var events = new ArrayList<NonInviteClientTransaction.Event>();
    for (int status : new int[] {100, 199, 200, 404, 699}) {
      events.add(new NonInviteClientTransaction.Event.ResponseReceived(status));
    }
    for (var timer : NonInviteClientTransaction.Timer.values()) {
      events.add(new NonInviteClientTransaction.Event.TimerFired(timer));
    }
    events.add(new NonInviteClientTransaction.Event.TransportFailed());
    events.add(new NonInviteClientTransaction.Event.Abandoned());
    assertThat(MachineTable.missing(NonInviteClientTransaction.State.class, states)).isEmpty();
    assertThat(MachineTable.missing(NonInviteClientTransaction.Event.class, events)).isEmpty();
    var left = Duration.ofSeconds(7);
    return new MachineTable<>(
        "Non-INVITE client transaction",
        "NonInviteClientTransaction",
        states,
        events,
        List.of(
            new Start<>("start", of(udp.start()), of(tcp.start())),
            new Start<>("resume with 7 s left", of(udp.resume(left)), of(tcp.resume(left)))),
        (state, event) -> of(udp.next(state, event)),
        (state, event) -> of(tcp.next(state, event)));
  }

  private static MachineTable<?, ?> inviteServer() {
    var udp = new InviteServerTransaction(TIMERS, false);
    var tcp = new InviteServerTransaction(TIMERS, true);
    List<InviteServerTransaction.State> states =
        List.of(
            new InviteServerTransaction.State.Proceeding(false),
            new InviteServerTransaction.State.Proceeding(true),
            new InviteServerTransaction.State.Completed(Duration.ofMillis(500)),
            new InviteServerTransaction.State.Completed(Duration.ofSeconds(4)),
            new InviteServerTransaction.State.Confirmed(),
            new InviteServerTransaction.State.Accepted(),
            new InviteServerTransaction.State.Terminated());
    var events = new ArrayList<InviteServerTransaction.Event>();
    events.add(new InviteServerTransaction.Event.RequestReceived());
    events.add(new InviteServerTransaction.Event.AckReceived());
    for (int status : new int[] {100, 180, 200, 299, 300, 486, 699}) {
      events.add(new InviteServerTransaction.Event.Respond(status));
    }
    for (var timer : InviteServerTransaction.Timer.values()) {
      events.add(new InviteServerTransaction.Event.TimerFired(timer));
    }
    events.add(new InviteServerTransaction.Event.TransportFailed());
    events.add(new InviteServerTransaction.Event.Abandoned());
    assertThat(MachineTable.missing(InviteServerTransaction.State.class, states)).isEmpty();
    assertThat(MachineTable.missing(InviteServerTransaction.Event.class, events)).isEmpty();
    var starts = new ArrayList<Start<InviteServerTransaction.State>>();
    starts.add(new Start<>("start", of(udp.start()), of(tcp.start())));
    starts.add(new Start<>("resume, no response yet", of(udp.resume()), of(tcp.resume())));
    for (int status : new int[] {180, 200, 486}) {
      starts.add(
          new Start<>("resume after " + status, of(udp.resume(status)), of(tcp.resume(status))));
    }
    return new MachineTable<>(
        "INVITE server transaction",
        "InviteServerTransaction",
        states,
        events,
        starts,
        (state, event) -> of(udp.next(state, event)),
        (state, event) -> of(tcp.next(state, event)));
  }

  private static MachineTable<?, ?> nonInviteServer() {
    var udp = new NonInviteServerTransaction(TIMERS, false);
    var tcp = new NonInviteServerTransaction(TIMERS, true);
    List<NonInviteServerTransaction.State> states =
        List.of(
            new NonInviteServerTransaction.State.Trying(),
            new NonInviteServerTransaction.State.Proceeding(),
            new NonInviteServerTransaction.State.Completed(),
            new NonInviteServerTransaction.State.Terminated());
    var events = new ArrayList<NonInviteServerTransaction.Event>();
    events.add(new NonInviteServerTransaction.Event.RequestReceived());
    for (int status : new int[] {100, 199, 200, 404, 699}) {
      events.add(new NonInviteServerTransaction.Event.Respond(status));
    }
    for (var timer : NonInviteServerTransaction.Timer.values()) {
      events.add(new NonInviteServerTransaction.Event.TimerFired(timer));
    }
    events.add(new NonInviteServerTransaction.Event.TransportFailed());
    events.add(new NonInviteServerTransaction.Event.Abandoned());
    assertThat(MachineTable.missing(NonInviteServerTransaction.State.class, states)).isEmpty();
    assertThat(MachineTable.missing(NonInviteServerTransaction.Event.class, events)).isEmpty();
    var starts = new ArrayList<Start<NonInviteServerTransaction.State>>();
    starts.add(new Start<>("start", of(udp.start()), of(tcp.start())));
    starts.add(new Start<>("resume, no response yet", of(udp.resume()), of(tcp.resume())));
    for (int status : new int[] {100, 200}) {
      starts.add(
          new Start<>("resume after " + status, of(udp.resume(status)), of(tcp.resume(status))));
    }
    return new MachineTable<>(
        "Non-INVITE server transaction",
        "NonInviteServerTransaction",
        states,
        events,
        starts,
        (state, event) -> of(udp.next(state, event)),
        (state, event) -> of(tcp.next(state, event)));
  }

  private static Outcome<InviteClientTransaction.State> of(InviteClientTransaction.Step step) {
    return new Outcome<>(step.state(), step.actions());
  }

  private static Outcome<NonInviteClientTransaction.State> of(
      NonInviteClientTransaction.Step step) {
    return new Outcome<>(step.state(), step.actions());
  }

  private static Outcome<InviteServerTransaction.State> of(InviteServerTransaction.Step step) {
    return new Outcome<>(step.state(), step.actions());
  }

  private static Outcome<NonInviteServerTransaction.State> of(
      NonInviteServerTransaction.Step step) {
    return new Outcome<>(step.state(), step.actions());
  }

  private static Path repository() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("LICENSE"))) {
      folder = folder.getParent();
      if (folder == null) {
        throw new IllegalStateException("Expected to run within the repository");
      }
    }
    return folder;
  }
}
