package io.sippbx.benchmarks.events;

import com.google.protobuf.ByteString;
import io.sippbx.control.event.CallEventEncoder;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.EventSink;
import io.sippbx.control.event.Party;
import io.sippbx.control.event.Termination;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Calls that are nothing but their commits: of each four, one event each, as a call that is
 * answered and ends has. Each begins when it is due, whether those before it are done or not.
 */
final class CallsOfEvents {

  /** The record is as large as that of a call that is up, about. */
  private static final ByteString RECORD = ByteString.copyFrom(new byte[2_000]);

  private static final Party CALLER =
      new Party("1004", "sip:1004@pbx.example", "abc123@192.0.2.10", "192.0.2.10");
  private static final Party CALLEE =
      new Party("1008", "sip:1008@pbx.example", "def456@198.51.100.1", "192.0.2.20");

  private final CallStore<ByteString> store;
  private final Loops loops;
  private final EventSink sink;
  private final CallEventEncoder encoder = new CallEventEncoder(new NodeId("bench"));
  private final SplittableRandom random = new SplittableRandom(7);

  /** When the end of each call was committed, by call key. */
  final Map<String, Long> endedNs = new ConcurrentHashMap<>();

  final LongAdder events = new LongAdder();
  final LongAdder failures = new LongAdder();

  CallsOfEvents(CallStore<ByteString> store, Loops loops, EventSink sink) {
    this.store = store;
    this.loops = loops;
    this.sink = sink;
  }

  /** The record of a call here: octets. */
  static RecordCodec<ByteString> codec() {
    return new RecordCodec<>() {
      @Override
      public Encoded encode(ByteString record) {
        return new Encoded(record);
      }

      @Override
      public Decoded<ByteString> decode(Encoded stored) {
        return new Read<>(stored.head());
      }
    };
  }

  /** Begins a call. On one thread. */
  void begin() {
    ByteBuffer octets = ByteBuffer.allocate(16);
    octets.putLong(random.nextLong()).putLong(random.nextLong());
    CallKey call = CallKey.ofBytes(octets.array());
    long commits = random.nextLong();
    loops.of(call.hashCode()).execute(() -> commit(call, commits, 1, Optional.empty()));
  }

  private static CallHappening happening(int step, Instant now) {
    return switch (step) {
      case 1 -> new CallHappening.Started(CALLER, CALLEE);
      case 2 -> new CallHappening.Ringing(180);
      case 3 -> new CallHappening.Answered("opus");
      default ->
          new CallHappening.Ended(
              CALLER,
              CALLEE,
              now.minusSeconds(60),
              Optional.of(now.minusSeconds(55)),
              now,
              new Termination(Termination.Result.COMPLETED, Termination.Reason.NORMAL, 200),
              "opus",
              "media-1",
              Optional.of(
                  new CallHappening.MediaTotals(2_750, 473_000, 0, 2_750, 473_000, 0, 0, 0)),
              Optional.of(now.minusSeconds(59)),
              "bench",
              Optional.empty());
    };
  }

  private void commit(CallKey call, long commits, int step, Optional<Versioned<ByteString>> read) {
    var id = new CommitId(commits + step);
    Instant now = loops.of(call.hashCode()).now();
    List<CallEvent> told =
        encoder.encode(call, id.toString(), step, now, List.of(happening(step, now)));
    store.commit(
        new CallCommit<>(
            call,
            read,
            id,
            Optional.of(RECORD),
            told,
            CallIndex.NONE,
            Duration.ofSeconds(42),
            OptionalLong.empty()),
        answer -> {
          if (!(answer instanceof CommitAnswer.Applied<ByteString> applied)) {
            failures.increment();
            return;
          }
          events.increment();
          if (step == 4) {
            endedNs.put(call.text(), System.nanoTime());
          }
          sink.publish(told);
          if (step < 4) {
            commit(
                call,
                commits,
                step + 1,
                Optional.of(new Versioned<>(applied.version(), id, RECORD)));
          }
        });
  }
}
