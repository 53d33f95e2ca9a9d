package io.sippbx.media;

import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.Relay;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.session.SessionPath;
import io.sippbx.shared.identity.CallKey;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** What sessions want of a {@link Relay}. */
record RelaySessionPath(Relay relay) implements SessionPath {

  @Override
  public void open(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    relay.open(session, ports, plan, answer);
  }

  @Override
  public void rebind(
      CallKey session, List<StreamPorts> ports, SessionPlan plan, Consumer<OpenResult> answer) {
    relay.rebind(session, ports, plan, answer);
  }

  @Override
  public boolean update(CallKey session, SessionPlan plan) {
    return relay.update(session, plan);
  }

  @Override
  public void close(CallKey session, Consumer<SessionCounts> lastCounts) {
    relay.close(session, lastCounts);
  }

  @Override
  public Optional<SessionCounts> counts(CallKey session) {
    return relay.counts(session);
  }
}
