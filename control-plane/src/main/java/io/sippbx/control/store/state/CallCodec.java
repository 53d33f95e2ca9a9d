package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.sippbx.control.call.Call;
import io.sippbx.control.call.CalleeLeg;
import io.sippbx.control.call.Lease;
import io.sippbx.control.call.Leg;
import io.sippbx.control.call.MediaPart;
import io.sippbx.control.call.Renewal;
import io.sippbx.control.call.Target;
import io.sippbx.control.call.TimerId;
import io.sippbx.control.carried.Carried;
import io.sippbx.control.event.Party;
import io.sippbx.control.event.Termination;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.proto.state.v1.Bye;
import io.sippbx.proto.state.v1.CallState;
import io.sippbx.proto.state.v1.Counters;
import io.sippbx.proto.state.v1.Facts;
import io.sippbx.proto.state.v1.PendingAnswer;
import io.sippbx.proto.state.v1.Refusal;
import io.sippbx.proto.state.v1.Relayed;
import io.sippbx.proto.state.v1.TargetGroup;
import io.sippbx.proto.state.v1.Timer;
import io.sippbx.shared.identity.CallKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The stored form of a call. Of use from any thread. */
public final class CallCodec implements RecordCodec<Call> {

  /** The version of the schema that this node knows. */
  public static final int VERSION = 3;

  /** What a reader must know to drive a call that this node wrote. */
  private static final int MIN_READER = 1;

  /**
   * Likewise of a call that leaves its media node or holds a lease, which the first readers did not
   * know.
   */
  private static final int MIN_READER_SECOND = 2;

  /** Likewise of a call of which a side is told by UPDATE where its media is. */
  private static final int MIN_READER_THIRD = 3;

  private static final EnumTable<Lease, io.sippbx.proto.state.v1.Lease> LEASES =
      new EnumTable<>(Lease.class, io.sippbx.proto.state.v1.Lease.class, "LEASE_");

  @Override
  public Encoded encode(Call call) {
    Blobs blobs = Blobs.none();
    var legs = new LegForm(blobs);
    var form =
        CallState.newBuilder()
            .setMinReader(minReader(call))
            .setKey(call.key().text())
            .setCaller(legs.stored(call.caller()))
            .setMedia(MediaForm.stored(call.media()))
            .setFacts(stored(call.facts()))
            .setEndPublished(call.endPublished())
            .setLease(LEASES.stored(call.lease()))
            .setCounters(stored(call.counters()));
    for (CalleeLeg each : call.callees()) {
      form.addCallees(legs.stored(each));
    }
    int remaining = call.untried().size();
    for (List<Target> group : call.untried()) {
      form.addUntried(stored(remaining--, group));
    }
    call.legs()
        .ifPresent(
            both ->
                form.setCallerSide(legs.stored(both.caller()))
                    .setCalleeSide(legs.stored(both.callee())));
    call.pendingAnswer()
        .ifPresent(
            pending ->
                form.setPendingAnswer(
                    PendingAnswer.newBuilder()
                        .setLeg(pending.leg())
                        .setFork(pending.fork())
                        .setResponse(blobs.add(pending.response()))));
    call.refusal()
        .ifPresent(
            refusal -> {
              var refused = Refusal.newBuilder().setStatus(refusal.status());
              refusal.response().ifPresent(each -> refused.setResponse(blobs.add(each)));
              form.setRefusal(refused);
            });
    call.reinvite().ifPresent(reinvite -> form.setReinvite(legs.stored(reinvite)));
    for (Renewal each : call.renewals()) {
      form.addRenewals(legs.stored(each));
    }
    for (Call.Relayed each : call.relayed()) {
      form.addRelayed(
          Relayed.newBuilder()
              .setBranch(each.branch().value())
              .setFrom(LegForm.stored(each.from()))
              .setTransaction(Values.stored(each.transaction()))
              .setRequest(blobs.add(each.request()))
              .setFlow(Values.stored(each.flow()))
              .setSent(blobs.add(each.sent()))
              .setHop(Values.stored(each.hop())));
    }
    for (Call.Bye each : call.byes()) {
      var bye =
          Bye.newBuilder()
              .setBranch(each.branch().value())
              .setSent(blobs.add(each.sent()))
              .setHop(Values.stored(each.hop()));
      each.leg().ifPresent(side -> bye.setLeg(LegForm.stored(side)));
      form.addByes(bye);
    }
    for (Map.Entry<TimerId, Instant> each : call.timers().entrySet()) {
      form.addTimers(
          Timer.newBuilder().setId(each.getKey().name()).setAt(Values.stored(each.getValue())));
    }
    call.termination().ifPresent(termination -> form.setTermination(stored(termination)));
    Message whole = UnknownFields.restore(form.build(), call.carried().fields());
    return new Encoded(whole.toByteString(), blobs.all());
  }

  private static int minReader(Call call) {
    for (Renewal each : call.renewals()) {
      if (each.isUpdate()) {
        return MIN_READER_THIRD;
      }
    }
    return isMoving(call) || call.lease() != Lease.NONE ? MIN_READER_SECOND : MIN_READER;
  }

  private static boolean isMoving(Call call) {
    return call.media().anchor() != MediaPart.Anchor.FIRM
        || !call.media().former().isEmpty()
        || !call.renewals().isEmpty()
        || call.holds(TimerId.Kind.MOVE);
  }

  @Override
  public Decoded<Call> decode(Encoded stored) {
    try {
      CallState form = CallState.parseFrom(stored.head());
      return form.getMinReader() > VERSION
          ? new TooNew<>(form.getMinReader())
          : new Read<>(
              call(form, Blobs.of(stored.fields()), UnknownFields.of(form, stored.head())));
    } catch (InvalidProtocolBufferException | UnreadableException | IllegalArgumentException e) {
      // What a domain's record refuses is as little ours as what cannot be parsed.
      return new Unreadable<>(String.valueOf(e.getMessage()));
    }
  }

  private static Call call(CallState form, Blobs blobs, SortedMap<String, ByteString> unknown) {
    var legs = new LegForm(blobs);
    var timers = new TreeMap<TimerId, Instant>();
    for (Timer each : form.getTimersList()) {
      timers.put(TimerId.named(each.getId()), Values.instant(each.getAt()));
    }
    return new Call(
        new CallKey(form.getKey()),
        legs.caller(form.getCaller()),
        form.getCalleesList().stream().map(legs::callee).toList(),
        form.getUntriedList().stream().map(CallCodec::targets).toList(),
        form.hasCallerSide()
            ? Optional.of(both(legs.leg(form.getCallerSide()), legs.leg(form.getCalleeSide())))
            : Optional.empty(),
        form.hasPendingAnswer()
            ? Optional.of(
                new Call.PendingAnswer(
                    form.getPendingAnswer().getLeg(),
                    form.getPendingAnswer().getFork(),
                    blobs.response(form.getPendingAnswer().getResponse())))
            : Optional.empty(),
        form.hasRefusal()
            ? Optional.of(
                new Call.Refusal(
                    form.getRefusal().getStatus(),
                    legs.response(
                        form.getRefusal().hasResponse(), form.getRefusal().getResponse())))
            : Optional.empty(),
        MediaForm.media(form.getMedia()),
        form.hasReinvite() ? Optional.of(legs.reinvite(form.getReinvite())) : Optional.empty(),
        form.getRenewalsList().stream().map(legs::renewal).toList(),
        form.getRelayedList().stream().map(each -> relayed(each, blobs)).toList(),
        form.getByesList().stream().map(each -> bye(each, blobs)).toList(),
        timers,
        facts(form.getFacts()),
        form.hasTermination() ? Optional.of(termination(form.getTermination())) : Optional.empty(),
        form.getEndPublished(),
        LEASES.domain(form.getLease()),
        new Call.Counters(
            form.getCounters().getBranches(),
            form.getCounters().getForks(),
            form.getCounters().getReinvites(),
            form.getCounters().getEvents()),
        new Carried(unknown));
  }

  private static Call.Legs both(Leg caller, Leg callee) {
    return new Call.Legs(caller, callee);
  }

  private static TargetGroup stored(int remaining, List<Target> group) {
    var form = TargetGroup.newBuilder().setRemaining(remaining);
    for (Target each : group) {
      form.addTargets(
          io.sippbx.proto.state.v1.Target.newBuilder()
              .setUri(each.uri().toString())
              .addAllRoutes(Values.stored(each.routes()))
              .setHop(Values.stored(each.hop()))
              .addAllSpare(Values.storedSpare(each.hops().subList(1, each.hops().size()))));
    }
    return form.build();
  }

  private static List<Target> targets(TargetGroup form) {
    return form.getTargetsList().stream().map(CallCodec::target).toList();
  }

  private static Target target(io.sippbx.proto.state.v1.Target form) {
    var hops = new ArrayList<Destination>();
    hops.add(Values.destination(form.getHop()));
    hops.addAll(Values.spare(form.getSpareList()));
    return new Target(Values.uri(form.getUri()), Values.nameAddrs(form.getRoutesList()), hops);
  }

  private static Call.Relayed relayed(Relayed form, Blobs blobs) {
    return new Call.Relayed(
        LegForm.side(form.getFrom()),
        Values.transaction(form.getTransaction()),
        blobs.request(form.getRequest()),
        Values.flow(form.getFlow()),
        new Branch(form.getBranch()),
        blobs.request(form.getSent()),
        Values.destination(form.getHop()));
  }

  private static Call.Bye bye(Bye form, Blobs blobs) {
    return new Call.Bye(
        new Branch(form.getBranch()),
        form.getLeg() == io.sippbx.proto.state.v1.Side.SIDE_UNSPECIFIED
            ? Optional.empty()
            : Optional.of(LegForm.side(form.getLeg())),
        blobs.request(form.getSent()),
        Values.destination(form.getHop()));
  }

  private static Facts stored(Call.Facts facts) {
    var form =
        Facts.newBuilder()
            .setCaller(stored(facts.caller()))
            .setCallee(stored(facts.callee()))
            .setStartedAt(Values.stored(facts.startedAt()))
            .setCodec(facts.codec())
            .setRang(facts.rang())
            .setCallerHolds(facts.callerHolds())
            .setCalleeHolds(facts.calleeHolds());
    facts.answeredAt().ifPresent(at -> form.setAnsweredAt(Values.stored(at)));
    facts.endedAt().ifPresent(at -> form.setEndedAt(Values.stored(at)));
    Call.Trail trail = facts.trail();
    form.setFirstNode(trail.firstNode())
        .setEarlyMedia(trail.earlyMedia())
        .setChangedAt(Values.stored(trail.changedAt()))
        .setChangedBy(trail.changedBy());
    trail.progressAt().ifPresent(at -> form.setProgressAt(Values.stored(at)));
    trail.knownUp().ifPresent(at -> form.setKnownUp(Values.stored(at)));
    return form.build();
  }

  private static Call.Facts facts(Facts form) {
    return new Call.Facts(
        party(form.getCaller()),
        party(form.getCallee()),
        Values.instant(form.getStartedAt()),
        form.hasAnsweredAt() ? Optional.of(Values.instant(form.getAnsweredAt())) : Optional.empty(),
        form.hasEndedAt() ? Optional.of(Values.instant(form.getEndedAt())) : Optional.empty(),
        form.getCodec(),
        form.getRang(),
        form.getCallerHolds(),
        form.getCalleeHolds(),
        trail(form));
  }

  /** Of a call from before there was one: what is known of it. */
  private static Call.Trail trail(Facts form) {
    return new Call.Trail(
        form.getFirstNode(),
        form.hasProgressAt() ? Optional.of(Values.instant(form.getProgressAt())) : Optional.empty(),
        form.getEarlyMedia(),
        Values.instant(form.hasChangedAt() ? form.getChangedAt() : form.getStartedAt()),
        form.getChangedBy(),
        form.hasKnownUp() ? Optional.of(Values.instant(form.getKnownUp())) : Optional.empty());
  }

  private static io.sippbx.proto.state.v1.Party stored(Party party) {
    return io.sippbx.proto.state.v1.Party.newBuilder()
        .setUser(party.user())
        .setUri(party.uri())
        .setCallId(party.callId())
        .setIp(party.ip())
        .build();
  }

  private static Party party(io.sippbx.proto.state.v1.Party form) {
    return new Party(form.getUser(), form.getUri(), form.getCallId(), form.getIp());
  }

  private static io.sippbx.proto.state.v1.Termination stored(Termination termination) {
    return io.sippbx.proto.state.v1.Termination.newBuilder()
        .setResult(termination.result().name())
        .setReason(termination.reason().name())
        .setSipStatus(termination.sipStatus())
        .build();
  }

  private static Termination termination(io.sippbx.proto.state.v1.Termination form) {
    return new Termination(
        Termination.Result.valueOf(form.getResult()),
        Termination.Reason.valueOf(form.getReason()),
        form.getSipStatus());
  }

  private static Counters stored(Call.Counters counters) {
    return Counters.newBuilder()
        .setBranches(counters.branches())
        .setForks(counters.forks())
        .setReinvites(counters.reinvites())
        .setEvents(counters.events())
        .build();
  }
}
