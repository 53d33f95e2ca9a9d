package io.sippbx.control.store.redis;

import com.google.protobuf.InvalidProtocolBufferException;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.StreamMessage;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;

/** The partitions' indexes and outboxes in Redis. */
final class RedisPartitionStore implements PartitionStore {

  /** Fields of an entry of an outbox: what commit.lua and commit_registration.lua call them. */
  private static final String CALL = "e";

  private static final String REGISTRATION = "r";

  private final RedisLink link;
  private final Loops loops;
  private final TimerClaims timers;

  RedisPartitionStore(RedisLink link, Loops loops, TimerClaims timers) {
    this.link = link;
    this.loops = loops;
    this.timers = timers;
  }

  private <T> void ask(
      Partition partition,
      RedisLink.Command command,
      Function<Object, Answer<T>> parse,
      Consumer<Answer<T>> answer) {
    link.ask(
        partition.number(),
        loops.of(partition.number()),
        command,
        reply -> answer.accept(parsed(reply, parse)));
  }

  private <T> void run(
      Partition partition,
      Script script,
      byte[][] keys,
      ScriptArgs args,
      Function<Object, Answer<T>> parse,
      Consumer<Answer<T>> answer) {
    link.run(
        partition.number(),
        loops.of(partition.number()),
        script,
        keys,
        args.toArray(),
        reply -> answer.accept(parsed(reply, parse)));
  }

  private static <T> Answer<T> parsed(Reply reply, Function<Object, Answer<T>> parse) {
    return switch (reply) {
      case Reply.Failed failed -> new Unavailable<>(failed.detail());
      case Reply.Answered answered -> {
        try {
          yield parse.apply(answered.value());
        } catch (Bytes.UnexpectedReplyException e) {
          yield new Unavailable<>(String.valueOf(e.getMessage()));
        }
      }
    };
  }

  private static void checkLimit(int limit) {
    if (limit < 1 || limit > MAX_BATCH) {
      throw new IllegalArgumentException(
          "Expected a limit of 1 to " + MAX_BATCH + ", but got " + limit);
    }
  }

  @Override
  public void claimTimers(
      Partition partition, OptionalLong epoch, int limit, Consumer<Answer<DueTimer>> answer) {
    checkLimit(limit);
    timers.ask(partition, epoch, limit, answer);
  }

  @Override
  public void inFlight(
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<Answer<CallKey>> answer) {
    list(partition, Keys.inFlight(partition, node), after, limit, answer);
  }

  @Override
  public void onMedia(
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<Answer<CallKey>> answer) {
    list(partition, Keys.onMedia(partition, node), after, limit, answer);
  }

  @Override
  public void calls(
      Partition partition, Optional<CallKey> after, int limit, Consumer<Answer<CallKey>> answer) {
    list(partition, Keys.calls(partition), after, limit, answer);
  }

  private void list(
      Partition partition,
      byte[] key,
      Optional<CallKey> after,
      int limit,
      Consumer<Answer<CallKey>> answer) {
    checkLimit(limit);
    var args = new ScriptArgs();
    args.add(after.map(call -> "(" + call).orElse("-"));
    args.add(limit);
    args.add(Keys.callPrefix(partition));
    run(partition, Script.LIST_CALLS, new byte[][] {key}, args, RedisPartitionStore::calls, answer);
  }

  private static Answer<CallKey> calls(Object value) {
    List<?> said = Bytes.list(value);
    var calls = new ArrayList<CallKey>();
    for (Object member : Bytes.list(Bytes.at(said, 1))) {
      CallKey.prefixOf(Bytes.text(member)).ifPresent(calls::add);
    }
    return new Batch<>(calls, Bytes.number(Bytes.at(said, 0)) == 1);
  }

  @Override
  public void outbox(
      Partition partition,
      Optional<OutboxId> after,
      int limit,
      Consumer<Answer<OutboxEntry>> answer) {
    checkLimit(limit);
    Range<String> range =
        Range.from(
            after.map(id -> Range.Boundary.excluding(id.text())).orElse(Range.Boundary.unbounded()),
            Range.Boundary.unbounded());
    ask(
        partition,
        redis -> redis.xrange(Keys.outbox(partition), range, Limit.from(limit + 1L)),
        value -> events(value, limit),
        answer);
  }

  private static Answer<OutboxEntry> events(Object value, int limit) {
    List<?> found = Bytes.list(value);
    var events = new ArrayList<OutboxEntry>();
    for (Object each : found.subList(0, Math.min(limit, found.size()))) {
      if (!(each instanceof StreamMessage<?, ?> message)) {
        throw new Bytes.UnexpectedReplyException("an entry of a stream", each);
      }
      events.add(entry(new OutboxId(message.getId()), message.getBody()));
    }
    return new Batch<>(events, found.size() > limit);
  }

  private static OutboxEntry entry(OutboxId id, Map<?, ?> body) {
    var field =
        body.isEmpty() ? Map.entry("no field", "nothing") : body.entrySet().iterator().next();
    try {
      byte[] octets = Bytes.octets(field.getValue());
      String name = Bytes.text(field.getKey());
      return switch (name) {
        case CALL -> new OutboxEntry(id, new OutboxEvent.OfCall(CallEvent.parseFrom(octets)));
        case REGISTRATION ->
            new OutboxEntry(
                id, new OutboxEvent.OfRegistration(RegistrationEvent.parseFrom(octets)));
        default -> throw new Bytes.UnexpectedReplyException("field e or r", name);
      };
    } catch (InvalidProtocolBufferException | Bytes.UnexpectedReplyException e) {
      return new OutboxEntry(
          id,
          new OutboxEvent.OfCall(CallEvent.getDefaultInstance()),
          Optional.of(String.valueOf(e.getMessage())));
    }
  }

  @Override
  public void acknowledge(
      Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer) {
    checkLimit(ids.size());
    List<OutboxId> all = List.copyOf(ids);
    String[] texts = all.stream().map(OutboxId::text).toArray(String[]::new);
    ask(
        partition,
        redis -> redis.xdel(Keys.outbox(partition), texts),
        value -> new Batch<>(all, false),
        answer);
  }

  @Override
  public void setAside(Partition partition, List<OutboxId> ids, Consumer<Answer<OutboxId>> answer) {
    checkLimit(ids.size());
    var args = new ScriptArgs();
    args.add(MAX_ASIDE);
    ids.forEach(id -> args.add(id.text()));
    byte[][] keys = {Keys.outbox(partition), Keys.outboxAside(partition)};
    run(
        partition,
        Script.SET_ASIDE,
        keys,
        args,
        value ->
            new Batch<>(
                Bytes.list(value).stream().map(id -> new OutboxId(Bytes.text(id))).toList(), false),
        answer);
  }

  @Override
  public void outboxDepth(Partition partition, Consumer<Answer<Long>> answer) {
    ask(
        partition,
        redis -> redis.xlen(Keys.outbox(partition)),
        value -> new Batch<>(List.of(Bytes.number(value)), false),
        answer);
  }
}
