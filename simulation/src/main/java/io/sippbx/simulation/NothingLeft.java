package io.sippbx.simulation;

/** With faults stopped all comes to rest: no record, lease, port, timer or transaction is left. */
final class NothingLeft extends Invariant {

  NothingLeft(View view) {
    super(view);
  }

  @Override
  String says() {
    return "comes to rest with nothing left";
  }

  @Override
  void atRest() {
    view().leftovers().ifPresent(this::violated);
  }
}
