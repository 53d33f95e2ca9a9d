package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Goes on with what this node had in flight before it was started again, and with the long timers
 * of calls that no node has in memory. Lives on its loop; the answers of the store come where the
 * store gives them.
 */
public final class Recovery {

  /** Between two looks for timers that are due; they are of minutes and hours. */
  private static final Duration LOOK = Duration.ofSeconds(5);

  /** After a store that did not answer. */
  private static final Duration AGAIN = Duration.ofSeconds(1);

  private static final int BATCH = 200;

  private final Loop loop;
  private final PartitionStore partitions;
  private final NodeId self;
  private final Function<CallKey, CallRuntime> runtimes;
  private Loop.@Nullable Timer next;
  private boolean stopped;

  /**
   * @param self whose calls are taken up: every one that it has in flight is of a former start
   * @param runtimes where a call of this key lives
   */
  public Recovery(
      Loop loop, PartitionStore partitions, NodeId self, Function<CallKey, CallRuntime> runtimes) {
    this.loop = loop;
    this.partitions = partitions;
    this.self = self;
    this.runtimes = runtimes;
  }

  /** Takes up what there is, and looks for due timers from now on. Any thread. */
  public void start() {
    loop.execute(
        () -> {
          for (int number = 0; number < Partition.COUNT; number++) {
            takeUp(new Partition(number), Optional.empty());
          }
          look();
        });
  }

  /** Looks no more. Any thread. */
  public void stop() {
    loop.execute(
        () -> {
          stopped = true;
          if (next != null) {
            next.cancel();
          }
        });
  }

  private void takeUp(Partition partition, Optional<CallKey> after) {
    partitions.inFlight(
        partition,
        self,
        after,
        BATCH,
        answer -> {
          switch (answer) {
            case PartitionStore.Batch<CallKey> batch -> {
              for (CallKey call : batch.entries()) {
                runtimes.apply(call).takeOver(call);
              }
              if (batch.more()) {
                takeUp(
                    partition,
                    batch.entries().isEmpty() ? after : Optional.of(batch.entries().getLast()));
              }
            }
            case PartitionStore.Fenced<CallKey> fenced -> {}
            case PartitionStore.Unavailable<CallKey> unavailable ->
                loop.schedule(AGAIN, () -> takeUpUnlessStopped(partition, after));
          }
        });
  }

  private void takeUpUnlessStopped(Partition partition, Optional<CallKey> after) {
    if (!stopped) {
      takeUp(partition, after);
    }
  }

  private void look() {
    if (stopped) {
      return;
    }
    for (int number = 0; number < Partition.COUNT; number++) {
      partitions.claimTimers(
          new Partition(number),
          OptionalLong.empty(),
          BATCH,
          answer -> {
            if (answer instanceof PartitionStore.Batch<PartitionStore.DueTimer> batch) {
              for (PartitionStore.DueTimer due : batch.entries()) {
                runtimes.apply(due.call()).timerDue(due.call(), due.name());
              }
            }
          });
    }
    next = loop.schedule(LOOK, this::look);
  }
}
