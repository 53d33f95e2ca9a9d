package io.sippbx.control.admin;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Goes through an index of calls, partition by partition, until it has so many or has seen all.
 * Lives on its loop.
 */
final class PartitionWalk {

  private static final Pattern TOKEN = Pattern.compile("(\\d{1,2})(?:\\.([a-z2-7]{26}))?");

  private final Loop loop;
  private final Question question;
  private final int limit;
  private final Consumer<Outcome> outcome;
  private final List<CallKey> found = new ArrayList<>();
  private int partition;
  private Optional<CallKey> after;

  /** What is asked of each partition, as of {@link PartitionStore#calls}. */
  @FunctionalInterface
  interface Question {
    void ask(
        Partition partition,
        Optional<CallKey> after,
        int limit,
        Consumer<PartitionStore.Answer<CallKey>> answer);
  }

  /** What came of it. */
  sealed interface Outcome {
    /**
     * The calls.
     *
     * @param next where to go on; empty: there are no more
     */
    record Calls(List<CallKey> calls, Optional<Position> next) implements Outcome {
      /** Copies {@code calls}. */
      public Calls {
        calls = List.copyOf(calls);
      }
    }

    /** A partition did not answer. */
    record Unavailable(String detail) implements Outcome {}
  }

  /**
   * A place in the index.
   *
   * @param after the last call of this partition that was seen
   */
  record Position(int partition, Optional<CallKey> after) {

    static final Position START = new Position(0, Optional.empty());

    /** As it stands in a page token. */
    String token() {
      return partition + after.map(call -> "." + call).orElse("");
    }

    static Optional<Position> parse(String token) {
      Matcher form = TOKEN.matcher(token);
      if (!form.matches() || Integer.parseInt(form.group(1)) >= Partition.COUNT) {
        return Optional.empty();
      }
      return Optional.of(
          new Position(
              Integer.parseInt(form.group(1)),
              Optional.ofNullable(form.group(2)).map(CallKey::new)));
    }
  }

  private PartitionWalk(
      Loop loop, Question question, Position from, int limit, Consumer<Outcome> outcome) {
    this.loop = loop;
    this.question = question;
    this.partition = from.partition();
    this.after = from.after();
    this.limit = limit;
    this.outcome = outcome;
  }

  /**
   * Goes from a place on.
   *
   * @param limit how many calls at most
   * @param outcome is called once, on {@code loop}
   */
  static void go(
      Loop loop, Question question, Position from, int limit, Consumer<Outcome> outcome) {
    var walk = new PartitionWalk(loop, question, from, limit, outcome);
    loop.execute(walk::ask);
  }

  private void ask() {
    int room = Math.min(PartitionStore.MAX_BATCH, limit - found.size());
    question.ask(
        new Partition(partition), after, room, answer -> loop.execute(() -> answered(answer)));
  }

  private void answered(PartitionStore.Answer<CallKey> answer) {
    switch (answer) {
      case PartitionStore.Batch<CallKey> batch -> {
        found.addAll(batch.entries());
        if (!batch.more()) {
          partition++;
          after = Optional.empty();
        } else if (!batch.entries().isEmpty()) {
          after = Optional.of(batch.entries().getLast());
        }
        if (partition == Partition.COUNT) {
          outcome.accept(new Outcome.Calls(found, Optional.empty()));
        } else if (found.size() >= limit) {
          outcome.accept(new Outcome.Calls(found, Optional.of(new Position(partition, after))));
        } else {
          ask();
        }
      }
      // No epoch was given, so that nobody can be fenced.
      case PartitionStore.Fenced<CallKey> fenced ->
          outcome.accept(new Outcome.Unavailable("partition " + partition + " is fenced"));
      case PartitionStore.Unavailable<CallKey> unavailable ->
          outcome.accept(new Outcome.Unavailable("the store: " + unavailable.detail()));
    }
  }
}
