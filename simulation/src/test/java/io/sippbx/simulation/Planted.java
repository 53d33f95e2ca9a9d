package io.sippbx.simulation;

import io.sippbx.control.call.Call;
import io.sippbx.control.event.EventConsumer;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaListing;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaNodeSeen;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.MediaRestorer;
import io.sippbx.control.media.MediaWitness;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.LimitStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Ways to plant a bug between a node and its world. */
final class Planted {

  private Planted() {}

  /** Sends in place of each message those that {@code change} makes of it. */
  static Plants sending(Function<SipMessage, List<SipMessage>> change) {
    return Plants.inTransport(
        (node, real) ->
            new SipTransport() {
              @Override
              public void send(
                  SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
                change.apply(message).forEach(each -> real.send(each, to, onFailure));
              }

              @Override
              public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
                change.apply(message).forEach(each -> real.send(each, flow, onFailure));
              }

              @Override
              public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
                return real.advertised(protocol, v6);
              }
            });
  }

  /** Commits what {@code change} makes of each commit. */
  static Plants committing(UnaryOperator<CallCommit<Call>> change) {
    return Plants.inStore(
        (node, real) ->
            new CallStore<>() {
              @Override
              public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
                real.read(call, answer);
              }

              @Override
              public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
                real.commit(change.apply(commit), answer);
              }

              @Override
              public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
                real.restore(restore, answer);
              }
            });
  }

  /** Writes back nothing of what a fail-over of the store has lost. */
  static Plants restoringNothing() {
    return Plants.inStore(
        (node, real) ->
            new CallStore<>() {
              @Override
              public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
                real.read(call, answer);
              }

              @Override
              public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
                real.commit(commit, answer);
              }

              @Override
              public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
                answer.accept(new CommitAnswer.Gone<>());
              }
            });
  }

  /** Never gives a lease of a limit back, but says so. */
  static Plants keepingLeases() {
    return Plants.inLimits(
        (node, real) ->
            new LimitStore() {
              @Override
              public void take(
                  String name, CallKey call, int limit, Duration lease, Consumer<LeaseAnswer> to) {
                real.take(name, call, limit, lease, to);
              }

              @Override
              public void release(String name, CallKey call, Consumer<LeaseAnswer> to) {
                to.accept(new LimitStore.Released());
              }
            });
  }

  /** Never releases a session, but says so. */
  static Plants releasingNothing() {
    return Plants.inMedia(
        (node, real) ->
            new Media(real) {
              @Override
              public void release(
                  NodeId on, CallKey call, long revision, Consumer<MediaAnswer> answer) {
                answer.accept(new MediaAnswer.Held(revision, List.of(), List.of()));
              }
            });
  }

  /** Says of each call that nothing comes, once it has settled. */
  static Plants findingSilence() {
    var listeners = new ArrayList<Consumer<MediaEvent>>();
    Plants hearing =
        Plants.inMedia(
            (node, real) ->
                new Media(real) {
                  @Override
                  public void onEvent(Consumer<MediaEvent> events) {
                    listeners.add(events);
                    super.onEvent(events);
                  }
                });
    Plants telling =
        committing(
            commit -> {
              if (commit.record().isPresent() && commit.record().get().isQuiescent()) {
                long revision = commit.record().get().media().revision();
                listeners.forEach(
                    each -> each.accept(new MediaEvent.MediaTimeout(commit.call(), revision)));
              }
              return commit;
            });
    return new Plants(
        Plants.NONE.transports(),
        telling.stores(),
        Plants.NONE.limits(),
        hearing.media(),
        Plants.NONE.consumers(),
        Plants.NONE.outboxes());
  }

  /**
   * Publishes of each event of a call what {@code change} makes of it, and is done with it then.
   */
  static Plants publishing(Function<CallEvent, List<CallEvent>> change) {
    return Plants.inPublishing(
        (node, real) ->
            new EventConsumer() {
              @Override
              public boolean take(CallEvent event, Runnable done) {
                List<CallEvent> changed = change.apply(event);
                var left = new AtomicInteger(changed.size());
                if (changed.isEmpty()) {
                  done.run();
                }
                return changed.stream()
                    .allMatch(
                        each ->
                            real.take(
                                each,
                                () -> {
                                  if (left.decrementAndGet() == 0) {
                                    done.run();
                                  }
                                }));
              }

              @Override
              public boolean take(RegistrationEvent event, Runnable done) {
                return real.take(event, done);
              }
            });
  }

  /** Publishes events, and never says so. */
  static Plants acknowledgingNothing() {
    return Plants.inPublishing(
        (node, real) ->
            new EventConsumer() {
              @Override
              public boolean take(CallEvent event, Runnable done) {
                return real.take(event, () -> {});
              }

              @Override
              public boolean take(RegistrationEvent event, Runnable done) {
                return real.take(event, done);
              }
            });
  }

  private static class Media implements MediaPlane {
    private final MediaPlane real;

    Media(MediaPlane real) {
      this.real = real;
    }

    @Override
    public Optional<NodeId> place(MediaNeed need) {
      return real.place(need);
    }

    @Override
    public Optional<NodeId> place(MediaNeed need, List<NodeId> except) {
      return real.place(need, except);
    }

    @Override
    public void apply(NodeId on, SessionSpec spec, Consumer<MediaAnswer> answer) {
      real.apply(on, spec, answer);
    }

    @Override
    public void release(NodeId on, CallKey call, long revision, Consumer<MediaAnswer> answer) {
      real.release(on, call, revision, answer);
    }

    @Override
    public void onEvent(Consumer<MediaEvent> events) {
      real.onEvent(events);
    }

    @Override
    public List<MediaNodeSeen> seen() {
      return real.seen();
    }

    @Override
    public void witnessedBy(MediaWitness witness) {
      real.witnessedBy(witness);
    }

    @Override
    public void list(NodeId on, Optional<CallKey> after, Consumer<MediaListing> answer) {
      real.list(on, after, answer);
    }

    @Override
    public void onRestore(MediaRestorer restorer) {
      real.onRestore(restorer);
    }
  }
}
