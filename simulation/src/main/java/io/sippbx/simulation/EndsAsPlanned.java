package io.sippbx.simulation;

import com.google.protobuf.Timestamp;
import io.sippbx.control.call.CallTag;
import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** A call ends for the reason that its phones gave it, whatever became of nodes meanwhile. */
final class EndsAsPlanned extends Invariant {

  /**
   * For so long at most a media node that has started waits for those who bring back what was on
   * it, and takes no new call.
   */
  private static final Duration RESTORING = Duration.ofSeconds(30);

  /** Calls that a phone takes for over. */
  private final Set<Integer> over = new LinkedHashSet<>();

  /** While the store was away, or a node that had stood still did not write yet. */
  private final Set<Integer> hungUpUnwritten = new LinkedHashSet<>();

  /** Calls that a caller believes in, or has believed in. */
  private final Set<Integer> upForCaller = new LinkedHashSet<>();

  /** Calls whose caller was refused, or cancelled, while nothing could be written. */
  private final Set<Integer> refusedUnwritten = new LinkedHashSet<>();

  /** Calls whose caller was refused by a node that knew of no such call. */
  private final Set<Integer> refusedStateless = new LinkedHashSet<>();

  /** Calls of which an INVITE was sent to a callee, and of which one was heard. */
  private final Set<CallKey> invited = new TreeSet<>();

  private final Set<CallKey> heard = new TreeSet<>();

  EndsAsPlanned(View view) {
    super(view);
  }

  @Override
  String says() {
    return "a call ends as its phones meant it to";
  }

  @Override
  void sent(String node, Network.Sent sent) {
    invitation(sent.message()).ifPresent(invited::add);
    if (sent.message().toTag().flatMap(CallTag::of).isEmpty()) {
      Refusals.refused(sent.message()).ifPresent(refusedStateless::add);
    }
  }

  @Override
  void heard(Network.Sent sent) {
    invitation(sent.message()).ifPresent(heard::add);
  }

  /** The call that a callee is invited to. */
  private static Optional<CallKey> invitation(SipMessage message) {
    return message instanceof SipRequest request
            && request.method().equals(Method.INVITE)
            && request.toTag().isEmpty()
        ? Network.callOf(request)
        : Optional.empty();
  }

  @Override
  void up(int call, boolean caller) {
    if (caller) {
      upForCaller.add(call);
    }
  }

  @Override
  void over(int call, boolean caller) {
    over.add(call);
    if (caller && !upForCaller.contains(call) && isStruck(Fault.Kind::isOfStore)) {
      refusedUnwritten.add(call);
    }
    boolean isKilled =
        view().scenario().faults().stream().anyMatch(fault -> fault.kind().killsControl());
    if (isStruck(Fault.Kind::isOfStore) || isKilled && isStruck(Fault.Kind::isPause)) {
      hungUpUnwritten.add(call);
    }
  }

  @Override
  void happened(CallKey call, CallEvent event) {
    Optional<PlannedCall> plan = view().plan(call);
    if (!event.hasEnded() || plan.isEmpty() || view().wasSetBack(call)) {
      return;
    }
    Optional<Reason> reason = reason(event.getEnded().getReason());
    Set<Reason> allowed = allowed(plan.get(), decidedAt(event));
    if (invited.contains(call) && !heard.contains(call)) {
      // The network has lost each of its INVITEs.
      allowed.add(Reason.NO_ANSWER);
    }
    if (reason.isEmpty() || !allowed.contains(reason.get())) {
      violated(
          plan.get() + " ended as " + event.getEnded().getReason() + " in place of " + allowed);
    }
  }

  /** When it was decided that the call is over: its end is told when nothing of it is open. */
  private Duration decidedAt(CallEvent event) {
    Timestamp ended = event.getEnded().getEndTime();
    return Duration.between(
        view().began(), Instant.ofEpochSecond(ended.getSeconds(), ended.getNanos()));
  }

  /**
   * Whether a media node that was killed may still wait for its calls: nobody could read which they
   * are, as the store was away or the control nodes stood still until a short time ago.
   */
  private boolean isRestoringForLong(Duration then) {
    Duration since = then.minus(Simulation.BEGIN);
    return wasStruck(then, kind -> kind.isOfStore() || kind.isPause())
        && view().scenario().faults().stream()
            .filter(fault -> fault.kind().killsMedia())
            .anyMatch(
                fault ->
                    fault.ends().compareTo(since) <= 0
                        && since.compareTo(fault.ends().plus(RESTORING)) <= 0);
  }

  private Set<Reason> allowed(PlannedCall plan, Duration decidedAt) {
    Set<Reason> allowed = EnumSet.copyOf(plan.kind().ends());
    boolean isOfMedia = wasStruck(decidedAt, Fault.Kind::isOfMedia);
    if (isOfMedia) {
      allowed.addAll(EnumSet.of(Reason.NO_MEDIA, Reason.MEDIA_LOST));
    }
    if (isRestoringForLong(decidedAt)) {
      allowed.add(Reason.NO_MEDIA);
    }
    if (wasStruck(decidedAt, Fault.Kind::isOfStore)) {
      // It was refused, and was found to stand.
      allowed.add(Reason.STORE_UNAVAILABLE);
    }
    if (refusedUnwritten.contains(plan.number())) {
      // Its node did not live to end it: the callee was called, and the caller hangs up when it
      // hears an answer, or does not hear it.
      allowed.addAll(EnumSet.of(Reason.NORMAL, Reason.NO_ACK));
    }
    if (refusedStateless.contains(plan.number())) {
      // Another node had taken a copy of its INVITE.
      allowed.add(Reason.REFUSED);
    }
    if (hungUpUnwritten.contains(plan.number())) {
      // It was done at once, but its node did not live to write it down.
      allowed.add(Reason.MAX_DURATION);
    }
    if (over.contains(plan.number())
        && view().scenario().faults().stream().anyMatch(fault -> fault.kind().isOfMedia())) {
      // A phone whose BYE is not heard yet answers the re-INVITE that moves its session by 481.
      allowed.add(Reason.DIALOG_LOST);
    }
    switch (plan.kind()) {
      // A CANCEL that is late meets an answer; one that is repeated for long meets no answer.
      case CANCELLED_AT_ONCE, CANCELLED_SOMETIME, BYE_WHILE_RINGING ->
          allowed.addAll(EnumSet.of(Reason.CANCELLED, Reason.NORMAL, Reason.NO_ANSWER));
      // Who repeats its 2xx for as long as we wait for an ACK, or hears no answer to its re-INVITE,
      // may hang up first.
      case NO_ACK -> allowed.add(Reason.NORMAL);
      case DIALOG_LOST -> {
        allowed.add(Reason.NORMAL);
        if (!view().scenario().faults().isEmpty()) {
          // Its one re-INVITE was refused because nothing could be committed.
          allowed.add(Reason.MAX_DURATION);
        }
      }
      // The second of the two that answer knows nothing of a re-INVITE that moves the session.
      case FORKED -> {
        if (isOfMedia) {
          allowed.add(Reason.DIALOG_LOST);
        }
      }
      // Where its INVITE was late there is not time enough to ring for so long.
      case RINGS_LONG -> {
        if (!view().scenario().faults().isEmpty()) {
          allowed.add(Reason.NO_ANSWER);
        }
      }
      // Whose BYE is not heard yet answers a re-INVITE of the other by 481.
      case REINVITED, REINVITED_BY_BOTH -> {
        if (over.contains(plan.number())) {
          allowed.add(Reason.DIALOG_LOST);
        }
      }
      // The address of nobody is tried for longer when it is tried anew.
      case FAIL_OVER -> allowed.add(Reason.NO_ANSWER);
      default -> {}
    }
    return allowed;
  }
}
