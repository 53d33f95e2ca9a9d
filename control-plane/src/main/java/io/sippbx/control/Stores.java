package io.sippbx.control;

import io.sippbx.control.call.Call;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.control.store.redis.RedisStore;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.store.state.RegistrationCodec;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * Where a node keeps its state.
 *
 * @param calls answers on the loop of each call's key
 * @param registrations the same records for each loop, with answers on it
 * @param partitions of the calls, their outboxes among them
 * @param lostEvents events that were dropped from full outboxes so far, for metrics
 */
public record Stores(
    CallStore<Call> calls,
    Function<Loop, RegistrationStore> registrations,
    PartitionStore partitions,
    LongSupplier lostEvents) {

  /**
   * In this process, with which all of it ends.
   *
   * @param maxAddresses addresses-of-record with bindings
   * @param maxOutbox events that wait in the outbox of a partition; beyond it the oldest are lost
   */
  public static Stores inMemory(Loops loops, int maxAddresses, int maxOutbox) {
    var calls = new InMemoryCallStore<Call>(loops, maxOutbox);
    var registrations = new InMemoryRegistrationStore(maxAddresses, loops.all().getFirst());
    return new Stores(calls, registrations::on, calls, calls::outboxDrops);
  }

  /** In Redis, which outlives this process. */
  public static Stores in(RedisStore redis) {
    var codec = new RegistrationCodec();
    return new Stores(
        redis.calls(new CallCodec()),
        loop -> redis.registrations(loop, codec),
        redis.partitions(),
        // Redis is told to refuse what it has no room for: nothing is dropped.
        () -> 0);
  }
}
