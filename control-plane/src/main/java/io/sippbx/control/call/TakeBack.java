package io.sippbx.control.call;

import io.sippbx.control.event.Termination.Reason;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Undoes what stands in the record though who asked for it was told that it was not done. */
final class TakeBack {

  private TakeBack() {}

  /** What the call is to be told, in this order. */
  static List<Input> of(Input refused, Call standing) {
    if (refused instanceof Input.RequestArrived in) {
      return of(in, standing).stream().toList();
    }
    var told = new ArrayList<Input>();
    told.add(new Input.HangUp(Reason.STORE_UNAVAILABLE));
    // Where an INVITE stands in the record it was not sent, and nobody will answer it.
    for (CalleeLeg leg : standing.callees()) {
      told.add(new Input.RequestFailed(leg.branch(), Method.INVITE, false));
    }
    return told;
  }

  private static Optional<Input> of(Input.RequestArrived in, Call standing) {
    Optional<Reinvite> reinvite =
        standing.reinvite().filter(each -> each.transaction().equals(in.transaction()));
    if (reinvite.isPresent() && reinvite.get().sent().isEmpty()) {
      SipRequest cancel = Messages.cancel(in.request());
      return Optional.of(
          new Input.RequestArrived(ServerTransactionId.of(cancel), cancel, in.flow(), in.hop()));
    }
    // Nobody was sent it: that is as if who should have been had refused it.
    return reinvite
        .flatMap(Reinvite::sent)
        .or(() -> relayed(standing, in.transaction()))
        .map(
            sent ->
                new Input.ResponseArrived(
                    sent.topVia().branch().orElseThrow(),
                    SipResponse.to(sent, 500).build(),
                    in.hop(),
                    List.of()));
  }

  private static Optional<SipRequest> relayed(Call standing, ServerTransactionId transaction) {
    return standing.relayed().stream()
        .filter(each -> each.transaction().equals(transaction))
        .map(Call.Relayed::sent)
        .findFirst();
  }
}
