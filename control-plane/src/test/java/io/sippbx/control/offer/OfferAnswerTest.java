package io.sippbx.control.offer;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.offer.OfferAnswer.Action;
import io.sippbx.control.offer.OfferAnswer.Carrier;
import io.sippbx.control.offer.OfferAnswer.Event;
import io.sippbx.control.offer.OfferAnswer.Invite;
import io.sippbx.control.offer.OfferAnswer.Message;
import io.sippbx.control.offer.OfferAnswer.State;
import io.sippbx.control.offer.OfferAnswer.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("offer and answer in one dialog (RFC 3264, 3261 13, 3311, 6337)")
class OfferAnswerTest {

  private static final State STABLE = new State.Stable(Invite.NONE);

  /** A dialog under test: what happened, and what was to be made of it. */
  private static final class Dialog {
    State state = OfferAnswer.start();
    final List<Action> actions = new ArrayList<>();

    Dialog sent(Message message, boolean sdp) {
      return on(new Event.Sent(message, sdp));
    }

    Dialog received(Message message, boolean sdp) {
      return on(new Event.Received(message, sdp));
    }

    private Dialog on(Event event) {
      Step step = OfferAnswer.next(state, event);
      state = step.state();
      actions.addAll(step.actions());
      return this;
    }

    void is(State expected, Action... expectedActions) {
      assertThat(state).isEqualTo(expected);
      assertThat(actions).containsExactly(expectedActions);
    }
  }

  private static Dialog agreed() {
    Dialog dialog = new Dialog().sent(Message.INVITE, true).received(Message.SUCCESS, true);
    dialog.actions.clear();
    assertThat(dialog.state).isEqualTo(STABLE);
    return dialog;
  }

  @Nested
  @DisplayName("the six patterns of RFC 6337 2.2")
  class Patterns {
    @Test
    void offerInInviteAnswerIn2xx() {
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.SUCCESS, true)
          .is(STABLE, new Action.TakeAnswer());
      new Dialog()
          .received(Message.INVITE, true)
          .sent(Message.SUCCESS, true)
          .is(STABLE, new Action.TakeOffer());
    }

    @Test
    void offerIn2xxAnswerInAck() {
      new Dialog()
          .sent(Message.INVITE, false)
          .received(Message.SUCCESS, true)
          .sent(Message.ACK, true)
          .is(STABLE, new Action.TakeOffer());
      new Dialog()
          .received(Message.INVITE, false)
          .sent(Message.SUCCESS, true)
          .received(Message.ACK, true)
          .is(STABLE, new Action.TakeAnswer());
    }

    @Test
    void offerInInviteAnswerInReliable18x() {
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.RELIABLE_PROVISIONAL, true)
          .sent(Message.PRACK, false)
          .received(Message.SUCCESS, false)
          .is(STABLE, new Action.TakeAnswer());
      new Dialog()
          .received(Message.INVITE, true)
          .sent(Message.RELIABLE_PROVISIONAL, true)
          .received(Message.PRACK, false)
          .sent(Message.SUCCESS, false)
          .is(STABLE, new Action.TakeOffer());
    }

    @Test
    void offerInReliable18xAnswerInPrack() {
      new Dialog()
          .sent(Message.INVITE, false)
          .received(Message.RELIABLE_PROVISIONAL, true)
          .sent(Message.PRACK, true)
          .received(Message.SUCCESS, false)
          .is(STABLE, new Action.TakeOffer());
      new Dialog()
          .received(Message.INVITE, false)
          .sent(Message.RELIABLE_PROVISIONAL, true)
          .received(Message.PRACK, true)
          .sent(Message.SUCCESS, false)
          .is(STABLE, new Action.TakeAnswer());
    }

    @Test
    void offerInPrackAnswerInIts2xx() {
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.RELIABLE_PROVISIONAL, true)
          .sent(Message.PRACK, true)
          .received(Message.PRACK_SUCCESS, true)
          .received(Message.SUCCESS, false)
          .is(STABLE, new Action.TakeAnswer(), new Action.TakeAnswer());
      new Dialog()
          .received(Message.INVITE, true)
          .sent(Message.RELIABLE_PROVISIONAL, true)
          .received(Message.PRACK, true)
          .sent(Message.PRACK_SUCCESS, true)
          .sent(Message.SUCCESS, false)
          .is(STABLE, new Action.TakeOffer(), new Action.TakeOffer());
    }

    @Test
    void offerInUpdateAnswerInIts2xx() {
      agreed()
          .sent(Message.UPDATE, true)
          .received(Message.UPDATE_SUCCESS, true)
          .is(STABLE, new Action.TakeAnswer());
      agreed()
          .received(Message.UPDATE, true)
          .sent(Message.UPDATE_SUCCESS, true)
          .is(STABLE, new Action.TakeOffer());
    }
  }

  @Nested
  @DisplayName("early media (RFC 6337 3.1.1)")
  class EarlyMedia {
    @Test
    void takesEachUnreliableDescriptionForAPreviewAndTheFinalOneForTheAnswer() {
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.PROVISIONAL, true)
          .received(Message.PROVISIONAL, false)
          .received(Message.PROVISIONAL, true)
          .received(Message.SUCCESS, true)
          .is(STABLE, new Action.TakePreview(), new Action.TakePreview(), new Action.TakeAnswer());
    }

    @Test
    void takesThePreviewForTheAnswerWhenThe2xxHasNone() {
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.PROVISIONAL, true)
          .received(Message.SUCCESS, false)
          .is(STABLE, new Action.TakePreview(), new Action.TakePreviewAsAnswer());
    }

    @Test
    void owesTheAnswerStillAfterItsOwnPreview() {
      Dialog dialog = new Dialog().received(Message.INVITE, true).sent(Message.PROVISIONAL, true);
      assertThat(OfferAnswer.maySend(dialog.state, Message.SUCCESS, false)).isFalse();
      dialog.sent(Message.SUCCESS, true).is(STABLE, new Action.TakeOffer());
    }

    @Test
    void ignoresAnOfferInAnUnreliable18x() {
      new Dialog()
          .sent(Message.INVITE, false)
          .received(Message.PROVISIONAL, true)
          .is(new State.OfferExpected(false));
    }
  }

  @Nested
  @DisplayName("what is owed and not given")
  class Missing {
    @Test
    void noAnswerInThe2xx() {
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.SUCCESS, false)
          .is(new State.Idle(), new Action.AnswerMissing());
      agreed()
          .sent(Message.INVITE, true)
          .received(Message.SUCCESS, false)
          .is(STABLE, new Action.AnswerMissing());
    }

    @Test
    void noOfferInThe2xx() {
      new Dialog()
          .sent(Message.INVITE, false)
          .received(Message.SUCCESS, false)
          .is(new State.Idle(), new Action.OfferMissing());
    }

    @Test
    void noAnswerInTheAck() {
      new Dialog()
          .received(Message.INVITE, false)
          .sent(Message.SUCCESS, true)
          .received(Message.ACK, false)
          .is(new State.Idle(), new Action.AnswerMissing());
    }

    @Test
    void weAcknowledgeAnOfferThatWeCannotAnswer() {
      new Dialog()
          .sent(Message.INVITE, false)
          .received(Message.SUCCESS, true)
          .sent(Message.ACK, false)
          .is(new State.Idle(), new Action.TakeOffer(), new Action.DropOffer());
    }
  }

  @Nested
  @DisplayName("an offer that fails leaves what was agreed (RFC 3261 14.1, 3311 5.3)")
  class Failing {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void reInviteFails(boolean sdp) {
      Dialog ours = agreed().sent(Message.INVITE, sdp).received(Message.FAILURE, false);
      assertThat(ours.state).isEqualTo(STABLE);
      Dialog theirs = agreed().received(Message.INVITE, sdp).sent(Message.FAILURE, false);
      assertThat(theirs.state).isEqualTo(STABLE);
      assertThat(ours.actions.contains(new Action.DropOffer())).isEqualTo(sdp);
      assertThat(theirs.actions.contains(new Action.DropOffer())).isEqualTo(sdp);
    }

    @Test
    void firstInviteFails() {
      new Dialog()
          .received(Message.INVITE, true)
          .sent(Message.PROVISIONAL, true)
          .sent(Message.FAILURE, false)
          .is(new State.Idle(), new Action.TakeOffer(), new Action.DropOffer());
      new Dialog()
          .sent(Message.INVITE, true)
          .received(Message.PROVISIONAL, true)
          .received(Message.FAILURE, false)
          .is(new State.Idle(), new Action.TakePreview(), new Action.DropOffer());
    }

    @Test
    void updateFails() {
      agreed()
          .sent(Message.UPDATE, true)
          .received(Message.UPDATE_FAILURE, false)
          .is(STABLE, new Action.DropOffer());
      agreed()
          .received(Message.UPDATE, true)
          .sent(Message.UPDATE_FAILURE, false)
          .is(STABLE, new Action.TakeOffer(), new Action.DropOffer());
    }
  }

  @Nested
  @DisplayName("requests at the wrong time (RFC 3261 14.2, 3311 5.2)")
  class Glare {
    @ParameterizedTest
    @EnumSource(
        value = Message.class,
        names = {"INVITE", "UPDATE"})
    void refuses491WhileOurOfferIsOpen(Message message) {
      agreed()
          .sent(Message.INVITE, true)
          .received(message, true)
          .is(
              new State.LocalOffer(Carrier.INVITE, Invite.OURS, true, false),
              new Action.Refuse(491));
      agreed()
          .sent(Message.UPDATE, true)
          .received(message, true)
          .is(
              new State.LocalOffer(Carrier.UPDATE, Invite.NONE, true, false),
              new Action.Refuse(491));
    }

    @ParameterizedTest
    @EnumSource(
        value = Message.class,
        names = {"INVITE", "UPDATE"})
    void refuses500WhileTheirOfferIsOpen(Message message) {
      agreed()
          .received(Message.INVITE, true)
          .received(message, true)
          .is(
              new State.RemoteOffer(Carrier.INVITE, Invite.THEIRS, true),
              new Action.TakeOffer(),
              new Action.Refuse(500));
    }

    @Test
    void refusesAnInviteWhileOursWithoutOfferIsOpen() {
      agreed()
          .sent(Message.INVITE, false)
          .received(Message.INVITE, false)
          .is(new State.OfferExpected(true), new Action.Refuse(491));
    }

    @Test
    void anUpdateWithoutOfferIsNeverRefusedHere() {
      for (State state : OfferAnswerTableTest.reachable()) {
        assertThat(OfferAnswer.next(state, new Event.Received(Message.UPDATE, false)))
            .isEqualTo(new Step(state, List.of()));
      }
    }

    @Test
    void ourOfferAgainstTheirsIsForbidden() {
      Dialog dialog = agreed().received(Message.INVITE, true);
      assertThat(OfferAnswer.maySend(dialog.state, Message.INVITE, true)).isFalse();
      assertThat(OfferAnswer.maySend(dialog.state, Message.UPDATE, true)).isFalse();
      assertThat(OfferAnswer.maySend(dialog.state, Message.UPDATE, false)).isTrue();
      assertThat(OfferAnswer.maySend(dialog.state, Message.SUCCESS, true)).isTrue();
    }
  }

  /** Two machines, one for each end of a dialog, over a link that keeps the order. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void bothEndsOfADialogAgreeOnWhatIsOpen(long seed) {
    var random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      boolean offerInInvite = random.nextBoolean();
      Dialog caller = new Dialog();
      Dialog callee = new Dialog();
      pass(caller, callee, Message.INVITE, offerInInvite);
      while (offerInInvite && random.nextInt(3) == 0) {
        pass(callee, caller, Message.PROVISIONAL, random.nextBoolean());
      }
      if (random.nextInt(4) == 0) {
        pass(callee, caller, Message.FAILURE, false);
        assertThat(caller.state).isEqualTo(new State.Idle());
        assertThat(callee.state).isEqualTo(new State.Idle());
        continue;
      }
      pass(callee, caller, Message.SUCCESS, true);
      pass(caller, callee, Message.ACK, !offerInInvite);
      for (int i = random.nextInt(6); i > 0; i--) {
        boolean swap = random.nextBoolean();
        exchange(swap ? callee : caller, swap ? caller : callee, random);
        assertThat(caller.state).as("seed=%d round=%d", seed, round).isEqualTo(STABLE);
        assertThat(callee.state).as("seed=%d round=%d", seed, round).isEqualTo(STABLE);
      }
      assertThat(caller.actions).doesNotContain(new Action.Forbidden());
      assertThat(callee.actions).doesNotContain(new Action.Forbidden());
    }
  }

  private static void exchange(Dialog offerer, Dialog answerer, Random random) {
    boolean accepted = random.nextBoolean();
    if (random.nextBoolean()) {
      boolean glare = random.nextInt(4) == 0;
      if (glare) {
        // Both at once: each has sent when the other's comes, and each refuses.
        offerer.sent(Message.UPDATE, true);
        answerer.sent(Message.UPDATE, true);
        offerer.received(Message.UPDATE, true);
        answerer.received(Message.UPDATE, true);
        assertThat(offerer.actions.getLast()).isEqualTo(new Action.Refuse(491));
        assertThat(answerer.actions.getLast()).isEqualTo(new Action.Refuse(491));
        offerer.received(Message.UPDATE_FAILURE, false);
        answerer.received(Message.UPDATE_FAILURE, false);
        return;
      }
      pass(offerer, answerer, Message.UPDATE, true);
      pass(answerer, offerer, accepted ? Message.UPDATE_SUCCESS : Message.UPDATE_FAILURE, accepted);
      return;
    }
    boolean offerInInvite = random.nextBoolean();
    pass(offerer, answerer, Message.INVITE, offerInInvite);
    pass(answerer, offerer, accepted ? Message.SUCCESS : Message.FAILURE, accepted);
    if (accepted) {
      pass(offerer, answerer, Message.ACK, !offerInInvite);
    }
  }

  private static void pass(Dialog from, Dialog to, Message message, boolean sdp) {
    from.sent(message, sdp);
    to.received(message, sdp);
  }
}
