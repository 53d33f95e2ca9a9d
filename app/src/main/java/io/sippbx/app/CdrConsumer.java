package io.sippbx.app;

import io.sippbx.control.event.EventConsumer;
import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.proto.event.v1.CallEvent;

/** Gives the events of this process to its CDR writer; those that it does not write are done. */
record CdrConsumer(CdrWriter writer) implements EventConsumer {

  @Override
  public boolean take(CallEvent event, Runnable done) {
    return switch (writer.accept(event, done)) {
      case TAKEN -> true;
      case NOT_AN_END -> {
        done.run();
        yield true;
      }
      case REFUSED -> false;
    };
  }
}
