package io.sippbx.control.store;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CommitAnswer.AlreadyApplied;
import io.sippbx.control.store.CommitAnswer.Applied;
import io.sippbx.control.store.CommitAnswer.Conflict;
import io.sippbx.control.store.CommitAnswer.Gone;
import io.sippbx.shared.identity.CallKey;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Keeps calls in this process: the whole commit contract, and nothing that outlives the node.
 * Threads may commit to different calls at once; commits to one call are serialised.
 *
 * <p>A removed record leaves nothing, so that a commit sent again after a removal is answered
 * {@link Gone}.
 */
public final class InMemoryCallStore<R> implements CallStore<R> {

  private final Map<CallKey, Versioned<R>> records = new ConcurrentHashMap<>();
  private final Loops loops;

  /**
   * @param loops where answers are given: each call's on the loop of its key
   */
  public InMemoryCallStore(Loops loops) {
    this.loops = loops;
  }

  @Override
  public void read(CallKey call, Consumer<ReadAnswer<R>> answer) {
    Versioned<R> current = records.get(call);
    ReadAnswer<R> outcome =
        current == null ? new ReadAnswer.Absent<>() : new ReadAnswer.Found<>(current);
    loops.of(call.hashCode()).execute(() -> answer.accept(outcome));
  }

  @Override
  public void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer) {
    CommitAnswer<R> outcome = apply(commit);
    loops.of(commit.call().hashCode()).execute(() -> answer.accept(outcome));
  }

  /** How many calls there are, tombstones among them. */
  public int size() {
    return records.size();
  }

  private CommitAnswer<R> apply(CallCommit<R> commit) {
    var outcome = new Outcome<R>();
    records.compute(
        commit.call(),
        (key, current) -> {
          if (current == null) {
            if (commit.expectedVersion() != 0) {
              outcome.answer = new Gone<>();
              return null;
            }
            outcome.answer = new Applied<>(1);
            return commit.record().map(r -> new Versioned<>(1, commit.id(), r)).orElse(null);
          }
          if (current.commit().equals(commit.id())) {
            outcome.answer = new AlreadyApplied<>(current.version());
            return current;
          }
          if (current.version() != commit.expectedVersion()) {
            outcome.answer = new Conflict<>(current);
            return current;
          }
          long version = current.version() + 1;
          outcome.answer = new Applied<>(version);
          return commit.record().map(r -> new Versioned<>(version, commit.id(), r)).orElse(null);
        });
    return outcome.answer;
  }

  private static final class Outcome<R> {
    private CommitAnswer<R> answer = new Gone<>();
  }
}
