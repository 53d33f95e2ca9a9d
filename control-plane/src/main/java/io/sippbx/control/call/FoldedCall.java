package io.sippbx.control.call;

import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.shared.identity.CallKey;

/**
 * The record of a call that nobody owns as it stands in the store, in one array: as objects it
 * would be some hundreds, which the collector copies. Of use from any thread, but for what tells
 * the store, which is for the loop of the call.
 */
final class FoldedCall {

  private final RecordCodec<Call> codec;
  private final long version;
  private final CommitId commit;
  private final byte[] octets;

  private FoldedCall(RecordCodec<Call> codec, long version, CommitId commit, byte[] octets) {
    this.codec = codec;
    this.version = version;
    this.commit = commit;
    this.octets = octets;
  }

  /** Puts a record away that has no owner: who else has it in memory is told. */
  static FoldedCall fold(
      CallKey call, Versioned<Call> current, RecordCodec<Call> codec, CallStore<Call> store) {
    RecordCodec.Encoded written =
        store.written(call, current.commit()).orElseGet(() -> codec.encode(current.record()));
    var folded = new FoldedCall(codec, current.version(), current.commit(), written.together());
    store.fold(call, current.commit(), folded::record);
    return folded;
  }

  /** An equal record, made anew each time. */
  Call record() {
    return read(RecordCodec.Encoded.apart(octets));
  }

  private Call read(RecordCodec.Encoded written) {
    if (codec.decode(written) instanceof RecordCodec.Read<Call>(Call record)) {
      return record;
    }
    throw new IllegalStateException("Expected to read what was just written");
  }

  /** The call as it stood when it was folded, to go on with. */
  Versioned<Call> unfold(CallKey call, CallStore<Call> store) {
    RecordCodec.Encoded written = RecordCodec.Encoded.apart(octets);
    store.unfold(call, commit, written);
    return new Versioned<>(version, commit, read(written));
  }
}
