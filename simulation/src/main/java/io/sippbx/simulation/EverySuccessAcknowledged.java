package io.sippbx.simulation;

/** Each 2xx to an INVITE is acknowledged while the phone still repeats it. */
final class EverySuccessAcknowledged extends Invariant {

  EverySuccessAcknowledged(View view) {
    super(view);
  }

  @Override
  String says() {
    return "every 2xx is acknowledged";
  }

  @Override
  void notAcknowledged(int call, Phone phone, long cSeq) {
    if (view().isForgotten(call) || view().wasSetBack(call) || view().isRefusalLost(call)) {
      return;
    }
    violated("the 2xx of " + phone.name() + " in call " + call + " (cseq " + cSeq + ") has no ACK");
  }
}
