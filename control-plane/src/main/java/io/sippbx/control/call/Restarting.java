package io.sippbx.control.call;

import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.net.Endpoint;
import java.util.Optional;

/**
 * Requests of a node that is gone and had an address of its own. Their Via names that address, and
 * so what answers them goes there; who has heard one takes what has its branch for a repeat. They
 * are begun anew from here, in transactions of their own.
 *
 * <p>What was answered meanwhile is not known. So an INVITE is cancelled, and another goes to the
 * same place in a dialog of its own: with the first Call-ID it would be a merged request there (RFC
 * 3261 8.2.2.2). What is sent within a dialog takes the next number. What was passed on for a peer
 * and would be done twice is refused to it.
 */
final class Restarting {

  private final Messages messages;
  private final Launching launching;
  private final InDialog inDialog;
  private final Ending ending;

  Restarting(Messages messages, Launching launching, InDialog inDialog, Ending ending) {
    this.messages = messages;
    this.launching = launching;
    this.inDialog = inDialog;
    this.ending = ending;
  }

  /** Whether the answer to what was sent there does not come here. */
  boolean isNeeded(SipRequest sent, Destination to) {
    return messages.isSentFromElsewhere(sent, to);
  }

  /** An INVITE to a callee that has no final response. */
  void callee(Draft d, CalleeLeg leg) {
    boolean wanted =
        leg.state() == OutgoingInvite.State.CALLING
            || leg.state() == OutgoingInvite.State.PROCEEDING;
    // Whether something provisional was heard is not known; by now the INVITE is there, or lost.
    d.replace(leg.with(OutgoingInvite.State.CANCELLING));
    d.effect(new Effect.AwaitFinal(leg.invite(), leg.hop()));
    ending.sendCancel(d, d.callee(leg.ordinal()));
    if (wanted
        && !launching.anew(d, leg)
        && d.callees.stream().noneMatch(each -> Setup.isUndecided(each.state()))) {
      launching.nextGroup(d);
    }
  }

  /** A BYE without an answer. */
  void bye(Draft d, Call.Bye bye) {
    Optional<SipRequest> again = again(d, bye.sent(), bye.hop());
    if (again.isEmpty()) {
      return;
    }
    SipRequest sent = again.get();
    bye.leg().ifPresent(side -> countOn(d, side, sent));
    d.byes.set(
        d.byes.indexOf(bye),
        new Call.Bye(sent.topVia().branch().orElseThrow(), bye.leg(), sent, bye.hop()));
    d.request(sent, bye.hop());
  }

  /** A request that was passed on within a dialog: nobody knows whether it was done. */
  void relayed(Draft d, Call.Relayed relayed) {
    d.effect(new Effect.ResumeServer(relayed.transaction(), relayed.flow(), Optional.empty()));
    inDialog.relayedLost(d, relayed);
  }

  /** A re-INVITE that was passed on, and that its sender still wants. */
  void reinvite(Draft d, Reinvite reinvite) {
    Side to = reinvite.from().other();
    Destination hop = d.leg(to).dialog().hop();
    Optional<SipRequest> again = again(d, reinvite.sent().orElseThrow(), hop);
    Optional<Endpoint> local = messages.local(hop);
    if (again.isEmpty() || local.isEmpty()) {
      return;
    }
    NameAddr contact = messages.contact(d.key, to, hop.protocol(), local.get());
    SipRequest sent =
        again.get().toBuilder().removeHeaders(HeaderName.CONTACT).contact(contact).build();
    countOn(d, to, sent);
    Leg leg = d.leg(to);
    d.replace(leg.with(leg.dialog().withContact(contact)));
    d.reinvite = Optional.of(reinvite.withSent(sent).withOut(OutgoingInvite.State.CALLING));
    d.request(sent, hop);
  }

  /** The same request from here with the next number; empty without a listener for it. */
  private Optional<SipRequest> again(Draft d, SipRequest sent, Destination to) {
    Method method = sent.method();
    return messages
        .viaFor(to, ending.nextBranch(d))
        .map(
            via ->
                sent.toBuilder()
                    .removeHeaders(HeaderName.VIA)
                    .prependVia(via)
                    .cSeq(new CSeq(sent.cSeq().number() + 1, method))
                    .build());
  }

  private static void countOn(Draft d, Side side, SipRequest sent) {
    Leg leg = d.leg(side);
    d.replace(leg.with(leg.dialog().withLocalCSeq(sent.cSeq().number())));
  }
}
