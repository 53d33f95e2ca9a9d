package io.sippbx.control.call;

import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.sip.transaction.SendPermit;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Carries out the effects of one call, in order; answers come back to it as inputs. Lives on the
 * call's loop.
 */
final class EffectRunner {

  private final CallKey key;
  private final CallRuntime runtime;
  private final CallEffects world;
  private final SendPermit permit;
  private final Consumer<RuntimeException> failed;
  private final Map<ServerTransactionId, SuccessRepeater> repeaters = new LinkedHashMap<>();

  /** What was committed in a term that is over; done when the record is found to stand still. */
  private final List<Effect> withheld = new ArrayList<>();

  private final Runnable onBeat = this::applySoon;

  /** What the media node is told on the next beat. */
  private Effect.@Nullable ApplyMedia soon;

  /**
   * @param permit asked before anything is sent that nobody has asked for just now
   * @param failed is told of a defect; the other effects are still done
   */
  EffectRunner(
      CallKey key, CallRuntime runtime, SendPermit permit, Consumer<RuntimeException> failed) {
    this.key = key;
    this.runtime = runtime;
    this.world = runtime.effects();
    this.permit = permit;
    this.failed = failed;
  }

  void carryOut(List<Effect> effects) {
    for (Effect effect : effects) {
      try {
        carryOut(effect);
      } catch (RuntimeException e) {
        failed.accept(e);
      }
    }
  }

  /** Keeps them for {@link #carryOutWithheld}. */
  void withhold(List<Effect> effects) {
    withheld.addAll(effects);
  }

  boolean withholds() {
    return !withheld.isEmpty();
  }

  /** Whether something is repeated, withheld or still to be done. */
  boolean isBusy() {
    return !repeaters.isEmpty() || !withheld.isEmpty() || soon != null;
  }

  void carryOutWithheld() {
    List<Effect> before = List.copyOf(withheld);
    withheld.clear();
    carryOut(before);
  }

  /** The call never was: what was taken for it in advance is given back at once. */
  void giveBack(PendingCommit never) {
    for (Effect effect : never.decision().beside()) {
      if (effect instanceof Effect.ApplyMedia apply) {
        world.releaseMedia(apply.node(), key, apply.spec().revision(), answer -> {});
      }
    }
    if (never.waiting().input() instanceof Input.InviteArrived in && in.leased()) {
      world.giveLeaseBack(key, () -> {});
    }
  }

  /**
   * Stops what repeats, and drops what was withheld: who was to be answered asks anew, of whoever
   * has the call.
   */
  void stop() {
    for (Effect each : withheld) {
      if (each instanceof Effect.Respond respond) {
        world.forget(respond.transaction());
      }
    }
    withheld.clear();
    dropSoon();
    for (SuccessRepeater each : repeaters.values()) {
      each.stop();
    }
    repeaters.clear();
  }

  /** Drops the transactions that were begun for this call, without a word. */
  void forgetTransactions() {
    world.forgetAll(permit);
  }

  private void carryOut(Effect effect) {
    switch (effect) {
      case Effect.Respond respond ->
          world.respond(respond.transaction(), respond.response(), permit);
      case Effect.RespondUntilAck until -> repeat(until);
      case Effect.StopSuccess stop -> {
        SuccessRepeater repeater = repeaters.remove(stop.transaction());
        if (repeater != null) {
          repeater.stop();
        }
      }
      case Effect.Request request -> world.request(request.request(), request.to(), permit);
      case Effect.ResumeServer resume ->
          world.resumeServer(resume.transaction(), resume.flow(), resume.lastResponse(), permit);
      case Effect.ForgetServer forget -> world.forget(forget.transaction());
      case Effect.ResumeClient resume ->
          world.resumeClient(resume.request(), resume.to(), resume.remaining(), permit);
      case Effect.AwaitFinal await -> world.awaitFinal(await.invite(), await.to(), permit);
      case Effect.Abandon abandon -> world.abandon(abandon.request());
      case Effect.Ack ack -> world.ack(ack.ack(), ack.to());
      case Effect.AckFailure ack -> world.ackFailure(ack.response(), ack.invite(), ack.to());
      case Effect.ApplyMedia apply -> {
        dropSoon();
        if (apply.soon() && !runtime.beat().isNow()) {
          soon = apply;
          runtime.beat().await(onBeat);
        } else {
          world.applyMedia(
              apply.node(),
              apply.spec(),
              answer -> tell(new Input.MediaApplied(apply.spec().revision(), answer)));
        }
      }
      case Effect.PlaceMedia place ->
          world.placeMedia(
              place.need(),
              place.except(),
              to -> tell(new Input.MediaPlaced(place.from(), place.lost(), to)));
      case Effect.ReleaseMedia release -> {
        if (soon != null && soon.node().equals(release.node())) {
          dropSoon();
        }
        world.releaseMedia(
            release.node(),
            key,
            release.revision(),
            answer -> tell(new Input.MediaReleased(release.node(), release.revision(), answer)));
      }
      case Effect.RenewLease renew -> world.renewLease(key, renew.lasting());
      case Effect.GiveLeaseBack back ->
          world.giveLeaseBack(key, () -> tell(new Input.LeaseGivenBack()));
    }
  }

  private void applySoon() {
    Effect.ApplyMedia due = soon;
    soon = null;
    if (due == null) {
      return;
    }
    if (permit.maySend()) {
      carryOut(List.of(due));
    } else {
      // As if the node were silent: it is told again where the call is found to be this node's.
      var untold = new MediaAnswer.Unreachable("What this node holds may be another's by now");
      tell(new Input.MediaApplied(due.spec().revision(), untold));
    }
  }

  private void dropSoon() {
    soon = null;
    runtime.beat().stop(onBeat);
  }

  private void repeat(Effect.RespondUntilAck until) {
    Runnable send =
        () -> {
          if (permit.maySend()) {
            world.respond(until.transaction(), until.response(), permit);
          }
        };
    SuccessRepeater old =
        repeaters.put(
            until.transaction(), SuccessRepeater.start(runtime.loop(), runtime.timers(), send));
    if (old != null) {
      old.stop();
    }
  }

  private void tell(Input answer) {
    runtime.offer(key, answer);
  }
}
