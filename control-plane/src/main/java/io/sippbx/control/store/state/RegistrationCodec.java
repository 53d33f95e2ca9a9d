package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.sippbx.control.carried.Carried;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.Reach;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.sip.auth.NonceCounts;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.proto.state.v1.NonceCount;
import io.sippbx.proto.state.v1.RecentRequest;
import io.sippbx.proto.state.v1.RegistrationState;
import java.util.SortedMap;

/** The stored form of an address-of-record's registration. Of use from any thread. */
public final class RegistrationCodec implements RecordCodec<Registration> {

  /** The version of the schema that this node knows. */
  public static final int VERSION = 1;

  private static final int MIN_READER = 1;

  private static final EnumTable<Reach, io.sippbx.proto.state.v1.Reach> REACHES =
      new EnumTable<>(Reach.class, io.sippbx.proto.state.v1.Reach.class, "REACH_");

  @Override
  public Encoded encode(Registration registration) {
    var form =
        RegistrationState.newBuilder().setMinReader(MIN_READER).setToldSeq(registration.toldSeq());
    for (Binding each : registration.bindings()) {
      form.addBindings(stored(each));
    }
    form.setNonces(stored(registration.nonces()));
    for (Registration.Recent each : registration.recent()) {
      form.addRecent(
          RecentRequest.newBuilder()
              .setCallId(each.callId().value())
              .setCseq((int) each.cSeq())
              .setFingerprint(each.fingerprint()));
    }
    return new Encoded(
        UnknownFields.restore(form.build(), registration.carried().fields()).toByteString());
  }

  @Override
  public Decoded<Registration> decode(Encoded stored) {
    try {
      RegistrationState form = RegistrationState.parseFrom(stored.head());
      return form.getMinReader() > VERSION
          ? new TooNew<>(form.getMinReader())
          : new Read<>(registration(form, UnknownFields.of(form, stored.head())));
    } catch (InvalidProtocolBufferException | UnreadableException | IllegalArgumentException e) {
      return new Unreadable<>(String.valueOf(e.getMessage()));
    }
  }

  private static Registration registration(
      RegistrationState form, SortedMap<String, ByteString> unknown) {
    return new Registration(
        form.getBindingsList().stream().map(RegistrationCodec::binding).toList(),
        new NonceCounts(
            form.getNonces().getHighestList().stream().map(RegistrationCodec::nonce).toList(),
            Values.instant(form.getNonces().getFloor())),
        form.getRecentList().stream().map(RegistrationCodec::recent).toList(),
        form.getToldSeq(),
        new Carried(unknown));
  }

  private static io.sippbx.proto.state.v1.Binding stored(Binding binding) {
    return io.sippbx.proto.state.v1.Binding.newBuilder()
        .setContact(binding.contact().toString())
        .setCallId(binding.callId().value())
        .setCseq((int) binding.cSeq())
        .addAllPath(Values.stored(binding.path()))
        .setFlow(Values.stored(binding.flow()))
        .setReach(REACHES.stored(binding.reach()))
        .setUserAgent(binding.userAgent())
        .setUpdatedAt(Values.stored(binding.updatedAt()))
        .setExpiresAt(Values.stored(binding.expiresAt()))
        .build();
  }

  private static Binding binding(io.sippbx.proto.state.v1.Binding form) {
    return new Binding(
        Values.nameAddr(form.getContact()),
        new CallId(form.getCallId()),
        Integer.toUnsignedLong(form.getCseq()),
        Values.nameAddrs(form.getPathList()),
        Values.flow(form.getFlow()),
        REACHES.domain(form.getReach()),
        form.getUserAgent(),
        Values.instant(form.getUpdatedAt()),
        Values.instant(form.getExpiresAt()));
  }

  private static io.sippbx.proto.state.v1.NonceCounts stored(NonceCounts nonces) {
    var form =
        io.sippbx.proto.state.v1.NonceCounts.newBuilder().setFloor(Values.stored(nonces.floor()));
    for (NonceCounts.Entry each : nonces.highest()) {
      form.addHighest(
          NonceCount.newBuilder()
              .setNonce(each.nonceId())
              .setIssuedAt(Values.stored(each.issuedAt()))
              .setExpiresAt(Values.stored(each.expiresAt()))
              .setCount((int) each.count()));
    }
    return form.build();
  }

  private static NonceCounts.Entry nonce(NonceCount form) {
    return new NonceCounts.Entry(
        form.getNonce(),
        Values.instant(form.getIssuedAt()),
        Values.instant(form.getExpiresAt()),
        Integer.toUnsignedLong(form.getCount()));
  }

  private static Registration.Recent recent(RecentRequest form) {
    return new Registration.Recent(
        new CallId(form.getCallId()),
        Integer.toUnsignedLong(form.getCseq()),
        form.getFingerprint());
  }
}
