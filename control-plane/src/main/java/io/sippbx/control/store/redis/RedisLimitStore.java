package io.sippbx.control.store.redis;

import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.LimitStore;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** Leases in Redis: a sorted set for each limit, in the slot of its name. */
final class RedisLimitStore implements LimitStore {

  private final RedisLink link;
  private final Loops loops;

  RedisLimitStore(RedisLink link, Loops loops) {
    this.link = link;
    this.loops = loops;
  }

  @Override
  public void take(
      String name, CallKey call, int limit, Duration lease, Consumer<LeaseAnswer> answer) {
    LimitStore.check(name, limit, lease);
    var args = new ScriptArgs();
    args.add(call.text());
    args.add(limit);
    args.add(lease.toMillis());
    link.run(
        Partition.COUNT,
        loops.of(call.hashCode()),
        Script.TAKE_LEASE,
        new byte[][] {Keys.limit(name)},
        args.toArray(),
        reply -> answer.accept(taken(reply)));
  }

  private static LeaseAnswer taken(Reply reply) {
    return switch (reply) {
      case Reply.Failed failed -> new Unavailable(failed.detail());
      case Reply.Answered answered -> {
        try {
          List<?> said = Bytes.list(answered.value());
          int leases = Math.toIntExact(Bytes.number(Bytes.at(said, 1)));
          yield Bytes.number(Bytes.at(said, 0)) == 1 ? new Held(leases) : new Refused(leases);
        } catch (Bytes.UnexpectedReplyException e) {
          yield new Unavailable("take_lease.lua: " + e.getMessage());
        }
      }
    };
  }

  @Override
  public void release(String name, CallKey call, Consumer<LeaseAnswer> answer) {
    LimitStore.check(name, 0, Duration.ofSeconds(1));
    link.ask(
        Partition.COUNT,
        loops.of(call.hashCode()),
        redis -> redis.zrem(Keys.limit(name), Bytes.of(call.text())),
        reply ->
            answer.accept(
                switch (reply) {
                  case Reply.Failed failed -> new Unavailable(failed.detail());
                  case Reply.Answered answered -> new Released();
                }));
  }
}
