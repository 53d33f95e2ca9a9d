package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.PartitionStore.Batch;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("stores in memory go back to what they held, as a fail-over that loses writes does")
class CheckpointTest {

  private static final CallKey CALL = CallKey.ofBytes(new byte[16]);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final InMemoryCallStore<String> calls =
      new InMemoryCallStore<>(time.loops("node", 1), 100);

  private void commit(Optional<Versioned<String>> read, long id, String record) {
    calls.commit(
        new CallCommit<>(
            CALL,
            read,
            new CommitId(id),
            Optional.of(record),
            List.of(CallEvent.newBuilder().setEventId("e" + id).build())),
        answer -> assertThat(answer).isInstanceOf(CommitAnswer.Applied.class));
    time.runReady();
  }

  private Optional<Versioned<String>> stored() {
    var found = new ArrayList<Versioned<String>>();
    calls.read(
        CALL,
        answer -> {
          if (answer instanceof ReadAnswer.Found<String>(var current)) {
            found.add(current);
          }
        });
    time.runReady();
    return found.stream().findFirst();
  }

  private List<String> outbox() {
    var ids = new ArrayList<String>();
    calls.outbox(
        Partition.of(CALL),
        Optional.empty(),
        10,
        answer ->
            ((Batch<PartitionStore.OutboxEntry>) answer)
                .entries()
                .forEach(each -> ids.add(each.event().id())));
    time.runReady();
    return ids;
  }

  @Test
  void aCallIsAsItWasAndSoIsItsOutbox() {
    commit(Optional.empty(), 1, "ringing");
    Optional<Versioned<String>> then = stored();
    Runnable back = calls.checkpoint();
    commit(then, 2, "answered");
    assertThat(outbox()).containsExactly("e1", "e2");
    back.run();
    assertThat(stored()).isEqualTo(then);
    assertThat(outbox()).containsExactly("e1");
    commit(then, 3, "answered otherwise");
    assertThat(stored().orElseThrow().version()).isEqualTo(2);
  }

  @Test
  void aCallThatWasNotThereIsNotThere() {
    Runnable back = calls.checkpoint();
    commit(Optional.empty(), 1, "ringing");
    back.run();
    assertThat(stored()).isEmpty();
    assertThat(calls.size()).isZero();
    time.advance(CallCommit.LAST_RESORT);
    commit(Optional.empty(), 2, "ringing anew");
  }

  @Test
  void aLeaseThatWasGivenBackIsHeldAgain() {
    var limits = new InMemoryLimitStore(time.loops("limits", 1));
    limits.take("calls", CALL, 1, Duration.ofMinutes(1), answer -> {});
    Runnable back = limits.checkpoint();
    limits.release("calls", CALL, answer -> {});
    assertThat(limits.held("calls")).isZero();
    back.run();
    assertThat(limits.held("calls")).isEqualTo(1);
  }
}
