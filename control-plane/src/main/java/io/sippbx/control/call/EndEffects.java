package io.sippbx.control.call;

import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import java.util.List;
import java.util.Optional;

/**
 * Which effects only end something: final answers, BYE and CANCEL. Whatever else is done to the
 * call, they stay right, so they may go ahead of a commit that cannot be made now.
 */
final class EndEffects {

  private EndEffects() {}

  /** Those of {@code effects}. */
  static List<Effect> of(List<Effect> effects) {
    return effects.stream().filter(EndEffects::onlyEnds).toList();
  }

  /** The others. */
  static List<Effect> without(List<Effect> effects) {
    return effects.stream().filter(each -> !onlyEnds(each)).toList();
  }

  /** Those that let go of what was taken for a call that is over, and say nothing to its peers. */
  static List<Effect> givingBack(List<Effect> effects) {
    return effects.stream().filter(EndEffects::givesBack).toList();
  }

  private static boolean givesBack(Effect effect) {
    return switch (effect) {
      case Effect.GiveLeaseBack back -> true;
      case Effect.ReleaseMedia release -> true;
      case Effect.Respond respond -> false;
      case Effect.Request request -> false;
      case Effect.RespondUntilAck until -> false;
      case Effect.StopSuccess stop -> false;
      case Effect.ResumeServer resume -> false;
      case Effect.ForgetServer forget -> false;
      case Effect.ResumeClient resume -> false;
      case Effect.AwaitFinal await -> false;
      case Effect.Abandon abandon -> false;
      case Effect.Ack ack -> false;
      case Effect.AckFailure ack -> false;
      case Effect.ApplyMedia apply -> false;
      case Effect.PlaceMedia place -> false;
      case Effect.RenewLease renew -> false;
    };
  }

  /** The final response among {@code effects} to this INVITE. */
  static Optional<SipResponse> refusal(List<Effect> effects, ServerTransactionId invite) {
    for (Effect effect : effects) {
      if (effect instanceof Effect.Respond respond && respond.transaction().equals(invite)) {
        return Optional.of(respond.response()).filter(SipResponse::isFinal);
      }
    }
    return Optional.empty();
  }

  private static boolean onlyEnds(Effect effect) {
    return switch (effect) {
      case Effect.Respond respond -> respond.response().isFinal();
      case Effect.Request request ->
          request.request().method().equals(Method.BYE)
              || request.request().method().equals(Method.CANCEL);
      case Effect.RespondUntilAck until -> false;
      case Effect.StopSuccess stop -> false;
      case Effect.ResumeServer resume -> false;
      case Effect.ForgetServer forget -> false;
      case Effect.ResumeClient resume -> false;
      case Effect.AwaitFinal await -> false;
      case Effect.Abandon abandon -> false;
      case Effect.Ack ack -> false;
      case Effect.AckFailure ack -> false;
      case Effect.ApplyMedia apply -> false;
      case Effect.PlaceMedia place -> false;
      case Effect.RenewLease renew -> false;
      case Effect.GiveLeaseBack back -> false;
      case Effect.ReleaseMedia release -> false;
    };
  }
}
