package io.sippbx.control.store.redis;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.PartitionStore.DueTimer;
import io.sippbx.shared.identity.CallKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Questions for timers that are due. A keeper asks for all of its partitions in one turn, twice a
 * second, mostly for nothing: those of a turn go in few scripts where one server has all
 * partitions. For any thread.
 */
final class TimerClaims {

  /** Partitions of one script at most: while it runs, the server does nothing else. */
  static final int SEVERAL = 16;

  private final RedisLink link;
  private final Loops loops;
  private final Loop home;
  private final int atOnce;

  /** Those of this turn. */
  private List<Claim> asked = new ArrayList<>();

  private record Claim(
      Partition partition,
      OptionalLong epoch,
      int limit,
      Consumer<PartitionStore.Answer<DueTimer>> answer) {}

  /**
   * @param atOnce partitions of one script at most: 1 in a Redis Cluster, where a script reaches
   *     one slot
   */
  TimerClaims(RedisLink link, Loops loops, int atOnce) {
    this.link = link;
    this.loops = loops;
    this.home = loops.all().getFirst();
    this.atOnce = atOnce;
  }

  /** As {@link PartitionStore#claimTimers}. */
  void ask(
      Partition partition,
      OptionalLong epoch,
      int limit,
      Consumer<PartitionStore.Answer<DueTimer>> answer) {
    boolean isFirst;
    synchronized (this) {
      isFirst = asked.isEmpty();
      asked.add(new Claim(partition, epoch, limit, answer));
    }
    if (isFirst) {
      home.execute(this::send);
    }
  }

  private void send() {
    List<Claim> all;
    synchronized (this) {
      all = asked;
      asked = new ArrayList<>();
    }
    for (int i = 0; i < all.size(); i += atOnce) {
      send(all.subList(i, Math.min(i + atOnce, all.size())));
    }
  }

  private void send(List<Claim> claims) {
    byte[][] keys = new byte[2 * claims.size()][];
    var args = new ScriptArgs();
    args.add(PartitionStore.CLAIM.toMillis());
    for (int i = 0; i < claims.size(); i++) {
      Claim each = claims.get(i);
      keys[2 * i] = Keys.timers(each.partition());
      keys[2 * i + 1] = Keys.keeper(each.partition());
      args.add(each.epoch().isPresent() ? Long.toString(each.epoch().getAsLong()) : "");
      args.add(each.limit());
      args.add(Keys.callPrefix(each.partition()));
    }
    link.run(
        claims.getFirst().partition().number(),
        home,
        Script.CLAIM_TIMERS,
        keys,
        args.toArray(),
        reply -> answered(claims, reply));
  }

  private void answered(List<Claim> claims, Reply reply) {
    for (int i = 0; i < claims.size(); i++) {
      Claim claim = claims.get(i);
      PartitionStore.Answer<DueTimer> answer = answer(reply, i);
      Loop loop = loops.of(claim.partition().number());
      if (loop.inLoop()) {
        claim.answer().accept(answer);
      } else {
        loop.execute(() -> claim.answer().accept(answer));
      }
    }
  }

  private static PartitionStore.Answer<DueTimer> answer(Reply reply, int at) {
    return switch (reply) {
      case Reply.Failed failed -> new PartitionStore.Unavailable<>(failed.detail());
      case Reply.Answered answered -> {
        try {
          yield due(Bytes.list(Bytes.at(Bytes.list(answered.value()), at)));
        } catch (Bytes.UnexpectedReplyException e) {
          yield new PartitionStore.Unavailable<>(String.valueOf(e.getMessage()));
        }
      }
    };
  }

  private static PartitionStore.Answer<DueTimer> due(List<?> said) {
    if (Bytes.text(Bytes.at(said, 0)).equals("fenced")) {
      return new PartitionStore.Fenced<>(Bytes.number(Bytes.at(said, 1)));
    }
    List<?> found = Bytes.list(Bytes.at(said, 2));
    var due = new ArrayList<DueTimer>();
    for (int i = 0; i < found.size(); i += 2) {
      String member = Bytes.text(Bytes.at(found, i));
      Optional<CallKey> call = CallKey.prefixOf(member);
      // What is no timer of ours has no record, and was removed by the script.
      if (call.isPresent() && member.length() > CallKey.LENGTH + 1) {
        due.add(
            new DueTimer(
                call.get(),
                member.substring(CallKey.LENGTH + 1),
                Instant.ofEpochMilli(Bytes.number(Bytes.at(found, i + 1)))));
      }
    }
    return new PartitionStore.Batch<>(due, Bytes.number(Bytes.at(said, 1)) == 1);
  }
}
