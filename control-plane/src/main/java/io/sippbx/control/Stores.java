package io.sippbx.control;

import io.sippbx.control.call.Call;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.cluster.InMemoryClusterStore;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryLimitStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.LimitStore;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RegistrationLimit;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.control.store.RestoringCallStore;
import io.sippbx.control.store.redis.RedisStore;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.store.state.RegistrationCodec;
import java.util.Optional;
import java.util.function.Function;

/**
 * Where a node keeps its state.
 *
 * @param calls answers on the loop of each call's key
 * @param registrations the same records for each loop, with answers on it
 * @param partitions of the calls, their outboxes among them
 * @param cluster what the nodes that share these stores know of each other, with answers on a loop
 * @param limits of all nodes that use these stores
 * @param restoring what writes lost calls back, where a fail-over may lose some
 */
public record Stores(
    CallStore<Call> calls,
    Function<Loop, RegistrationStore> registrations,
    PartitionStore partitions,
    Function<Loop, ClusterStore> cluster,
    LimitStore limits,
    Optional<RestoringCallStore<Call>> restoring) {

  /**
   * In this process, with which all of it ends.
   *
   * @param maxAddresses addresses-of-record with bindings
   * @param maxOutbox events of the outbox of a partition from which on no call begins
   */
  public static Stores inMemory(Loops loops, int maxAddresses, int maxOutbox) {
    var calls = new InMemoryCallStore<Call>(loops, maxOutbox);
    var registrations =
        new InMemoryRegistrationStore(
            maxAddresses, loops.all().getFirst(), calls.registrationOutbox());
    var cluster = new InMemoryClusterStore(loops.all().getFirst(), calls::setEpoch);
    return new Stores(
        calls,
        registrations::on,
        calls,
        cluster::on,
        new InMemoryLimitStore(loops),
        Optional.empty());
  }

  /**
   * In Redis, which outlives this process.
   *
   * @param loops those of {@code redis}
   * @param outbox of a partition
   * @param maxAddresses addresses-of-record with bindings, of all nodes together
   * @param recentCalls whose last commit is remembered, in case that a fail-over loses it
   */
  public static Stores in(
      RedisStore redis, Loops loops, OutboxLimit outbox, int maxAddresses, int recentCalls) {
    var limit = new RegistrationLimit(maxAddresses, loops.all().getFirst());
    var codec = new RegistrationCodec();
    var calls =
        new RestoringCallStore<>(
            redis.calls(new CallCodec(), outbox), loops, recentCalls, Call::isTombstone);
    redis.onOtherServer(calls::offerAgain);
    return new Stores(
        calls,
        loop -> limit.on(loop, redis.registrations(loop, codec, outbox)),
        redis.partitions(),
        redis::cluster,
        redis.limits(),
        Optional.of(calls));
  }
}
