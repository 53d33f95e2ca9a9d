package io.sippbx.media.session;

import io.sippbx.media.session.SessionEvent.Expiry;
import java.util.function.Consumer;

/** What is asked for one session; done and answered in the order in which it was asked. */
sealed interface SessionRequest {
  record Apply(SessionSpec spec, ControlNode from, Consumer<Answer> answer)
      implements SessionRequest {}

  record Release(long revision, Consumer<Answer> answer) implements SessionRequest {}

  record End(Expiry reason) implements SessionRequest {}

  record Stop() implements SessionRequest {}
}
