package io.sippbx.control.store;

import io.sippbx.control.loop.Loops;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A primary and a replica in memory: what is committed while they are apart is lost when the
 * replica takes over. While it is away nothing is answered but that, after a time.
 */
public final class FailingOver<R> implements CallStore<R> {

  private static final Duration TIMEOUT = Duration.ofMillis(500);

  private final Loops loops;
  private final InMemoryCallStore<R> replica;
  private InMemoryCallStore<R> primary;
  private boolean apart;
  private boolean away;
  private int restores;

  /** Empty, and together. */
  public FailingOver(Loops loops) {
    this.loops = loops;
    this.primary = new InMemoryCallStore<>(loops, 1000);
    this.replica = new InMemoryCallStore<>(loops, 1000);
  }

  /** The replica hears no more of what is committed. */
  public void part() {
    apart = true;
  }

  /** Nothing is answered, as if the server were gone; nothing is done either. */
  public void goAway() {
    away = true;
  }

  /** The replica is what there is from now on. */
  public void failOver() {
    primary = replica;
    away = false;
    apart = false;
  }

  /** The same server, with all that it had. */
  public void comeBack() {
    away = false;
  }

  /** The outboxes and indexes that there are now. */
  public InMemoryCallStore<R> current() {
    return primary;
  }

  /** How many records were offered to it. */
  public int restores() {
    return restores;
  }

  private boolean isTogether() {
    return !apart && primary != replica;
  }

  @Override
  public void read(CallKey call, Consumer<ReadAnswer<R>> answer) {
    if (away) {
      loops
          .of(call.hashCode())
          .schedule(TIMEOUT, () -> answer.accept(new ReadAnswer.Unavailable<>("away")));
    } else {
      primary.read(call, answer);
    }
  }

  @Override
  public void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer) {
    if (away) {
      unknown(commit.call(), answer);
      return;
    }
    if (isTogether()) {
      replica.commit(commit, said -> {});
    }
    primary.commit(commit, answer);
  }

  @Override
  public void restore(CallRestore<R> restore, Consumer<CommitAnswer<R>> answer) {
    restores++;
    if (away) {
      unknown(restore.call(), answer);
      return;
    }
    if (isTogether()) {
      replica.restore(restore, said -> {});
    }
    primary.restore(restore, answer);
  }

  private void unknown(CallKey call, Consumer<CommitAnswer<R>> answer) {
    loops
        .of(call.hashCode())
        .schedule(TIMEOUT, () -> answer.accept(new CommitAnswer.Unknown<>("away")));
  }
}
