package io.sippbx.app.demo;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.shared.sdp.Direction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What the two phones do: register, call, talk, perhaps hold, hang up. On the caller's thread. */
final class Script {

  /** How long a hold lasts. */
  static final Duration HOLD = Duration.ofSeconds(1);

  private static final Duration PACKETS_IN_FLIGHT = Duration.ofMillis(100);
  private static final Duration LAST_PACKETS = Duration.ofSeconds(2);
  private static final Duration MORE_THAN_TALK = Duration.ofSeconds(5);

  /** Looks at the node while the phones talk. */
  @FunctionalInterface
  interface MidCall {
    /** Called once, when media flow both ways. */
    void look() throws DemoFailure, InterruptedException;
  }

  private final Phone caller;
  private final Phone callee;
  private final Ladder ladder;
  private final Consumer<String> progress;

  /**
   * @param progress is told what is being done, in a line
   */
  Script(Phone caller, Phone callee, Ladder ladder, Consumer<String> progress) {
    this.caller = caller;
    this.callee = callee;
    this.ladder = ladder;
    this.progress = progress;
  }

  /** Both phones register, one after the other. */
  void register() throws DemoFailure, InterruptedException {
    for (Phone phone : List.of(caller, callee)) {
      phone.register();
      phone.await(PhoneEvent.Registered.class, "no 200 OK to its REGISTER came from the edge");
    }
    progress.accept("registered  " + caller.name() + " and " + callee.name() + ", by digest");
  }

  /**
   * The call, from the first INVITE to the answer to the BYE.
   *
   * @param packets that each phone is to send; when they talk twice, half of them each time
   */
  CallFacts call(int packets, boolean hold, MidCall midCall)
      throws DemoFailure, InterruptedException {
    String from = caller.name();
    String to = callee.name();
    Instant began = Instant.now();
    CallId callId = caller.dial(to);
    progress.accept("calling     " + from + " calls " + to);
    PhoneEvent.Rings rings =
        callee.await(PhoneEvent.Rings.class, "no INVITE from " + from + " came");
    callee.ring();
    caller.await(PhoneEvent.Ringing.class, "no 180 Ringing from " + to + " came");
    callee.answer();
    PhoneEvent.Answered answered =
        caller.await(PhoneEvent.Answered.class, "no 200 OK from " + to + " came");
    callee.await(PhoneEvent.Acknowledged.class, "no ACK from " + from + " came");

    Optional<CallFacts.Hold> held = Optional.empty();
    if (hold) {
      talk(packets / 2, midCall);
      held = Optional.of(hold());
      talk(packets - packets / 2, () -> {});
    } else {
      talk(packets, midCall);
    }
    fallSilent();

    caller.hangUp();
    callee.await(PhoneEvent.HungUp.class, "no BYE from " + from + " came");
    caller.await(PhoneEvent.Over.class, "no 200 OK to its BYE came");
    progress.accept("hung up     " + from + " has ended the call");
    return new CallFacts(
        callId,
        rings.invite(),
        answered.theirs().rtp(),
        rings.theirs().rtp(),
        began,
        Instant.now(),
        held);
  }

  /** Waits until each has said so many packets more, which takes 20 ms a packet. */
  private void talk(int packets, MidCall midCall) throws DemoFailure, InterruptedException {
    double seconds = (double) packets / RtpEndpoint.PACKETS_PER_SECOND;
    progress.accept("talking     for " + seconds + " s");
    ladder.note(
        Instant.now(),
        "RTP both ways for " + seconds + " s: " + tone(caller) + ", " + tone(callee));
    int callerUntil = caller.voice().sent() + packets;
    int calleeUntil = callee.voice().sent() + packets;
    midCall.look();
    Duration atMost = RtpEndpoint.PACKET_TIME.multipliedBy(packets).plus(MORE_THAN_TALK);
    if (!Waiting.until(
        () -> caller.voice().sent() >= callerUntil && callee.voice().sent() >= calleeUntil,
        atMost)) {
      throw new DemoFailure(
          "the phones could not send "
              + packets
              + " RTP packets each within "
              + atMost.toSeconds()
              + " s: "
              + caller.voice().fault().or(callee.voice()::fault).orElse("the machine is too busy"));
    }
  }

  private static String tone(Phone phone) {
    return phone.name() + " says " + phone.voice().tone();
  }

  /** The caller holds and resumes; meanwhile its own tone is what the callee hears. */
  private CallFacts.Hold hold() throws DemoFailure, InterruptedException {
    progress.accept("holding     " + caller.name() + " holds for " + HOLD.toSeconds() + " s");
    caller.hold();
    PhoneEvent.Answered answered = reoffered();
    PhoneEvent.Changed offered = changed();
    // What was under way when the callee fell silent has come by then.
    Waiting.until(() -> false, PACKETS_IN_FLIGHT);
    int atHolder = caller.voice().reception().packets();
    int atHeld = callee.voice().reception().packets();
    ladder.note(Instant.now(), "on hold for " + HOLD.toSeconds() + " s: RTP to the callee only");
    Waiting.until(() -> false, HOLD);
    int heardByHolder = caller.voice().reception().packets() - atHolder;
    int heardByHeld = callee.voice().reception().packets() - atHeld;
    caller.resume();
    PhoneEvent.Answered resumed = reoffered();
    Direction end = changed().theirs().direction();
    if (resumed.theirs().direction() != Direction.SENDRECV) {
      throw new DemoFailure(
          caller.name()
              + ": expected sendrecv in the answer to the resume, but got "
              + resumed.theirs().direction().attribute());
    }
    return new CallFacts.Hold(
        offered.theirs().direction(),
        answered.theirs().direction(),
        end,
        heardByHolder,
        heardByHeld);
  }

  private PhoneEvent.Answered reoffered() throws DemoFailure, InterruptedException {
    return caller.await(
        PhoneEvent.Answered.class, "no 200 OK from " + callee.name() + " to the re-INVITE");
  }

  private PhoneEvent.Changed changed() throws DemoFailure, InterruptedException {
    PhoneEvent.Changed changed = callee.await(PhoneEvent.Changed.class, "no re-INVITE came");
    callee.await(PhoneEvent.Acknowledged.class, "no ACK to the re-INVITE came");
    return changed;
  }

  /** Both stop, and what is still under way is waited for: what then is missing was lost. */
  private void fallSilent() throws DemoFailure, InterruptedException {
    caller.voice().pause();
    callee.voice().pause();
    Waiting.until(
        () ->
            caller.voice().reception().packets() >= callee.voice().sent()
                && callee.voice().reception().packets() >= caller.voice().sent(),
        LAST_PACKETS);
  }
}
