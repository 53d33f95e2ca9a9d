package io.sippbx.simulation;

import io.sippbx.shared.identity.CallKey;

/** No decision or effect throws, and nothing is dropped that somebody waits for. */
final class NoDefects extends Invariant {

  NoDefects(View view) {
    super(view);
  }

  @Override
  String says() {
    return "no defects";
  }

  @Override
  void defect(CallKey call, String what) {
    violated(call + ": " + what);
  }
}
