package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.redis.FreshRedis;
import io.sippbx.control.store.redis.RedisServer;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The contract of calls on a real Redis. */
class RedisCallStoreIT extends CallStoreContract {

  @RegisterExtension private static final FreshRedis REDIS = new FreshRedis();

  @Override
  CallStore<Note> store() {
    return REDIS.real().store().calls(new Note.Codec(), new OutboxLimit(OUTBOX));
  }

  @Override
  PartitionStore partitions() {
    return REDIS.real().store().partitions();
  }

  @Override
  Instant now() {
    return REDIS.real().store().clock().now(REDIS.real().loop());
  }

  @Override
  void pass(Duration time) {
    Instant end = now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> now().isAfter(end));
  }

  @Override
  void setEpoch(Partition partition, long epoch) {
    try {
      REDIS.server().ask("HSET", partition.tag() + ":keeper", "epoch", Long.toString(epoch));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void tellsDamagedEventsFromThoseThatCanBeRead() throws IOException {
    commit(
        new CallCommit<>(
            CALL,
            Optional.empty(),
            new CommitId(1),
            Optional.of(note("a")),
            List.of(event("before"))));
    REDIS.server().ask("XADD", PARTITION.tag() + ":outbox", "*", "e", "no protobuf at all");
    PartitionStore.Answer<PartitionStore.OutboxEntry> answer =
        this.<PartitionStore.Answer<PartitionStore.OutboxEntry>>ask(
            to -> partitions().outbox(PARTITION, Optional.empty(), 10, to));
    assertThat(answer)
        .isInstanceOfSatisfying(
            PartitionStore.Batch.class,
            batch -> {
              var first = (PartitionStore.OutboxEntry) batch.entries().getFirst();
              var second = (PartitionStore.OutboxEntry) batch.entries().getLast();
              assertThat(first.damage()).isEmpty();
              assertThat(first.event().id()).isEqualTo("before");
              assertThat(second.damage()).isPresent();
              assertThat(
                      this.<PartitionStore.Answer<OutboxId>>ask(
                          to -> partitions().setAside(PARTITION, List.of(second.id()), to)))
                  .isEqualTo(new PartitionStore.Batch<>(List.of(second.id()), false));
            });
    assertThat(REDIS.server().ask("XLEN", PARTITION.tag() + ":outbox-aside")).startsWith(":1");
    assertThat(REDIS.server().ask("XLEN", PARTITION.tag() + ":outbox")).startsWith(":1");
  }

  @Override
  <T> T ask(Consumer<Consumer<T>> question) {
    return REDIS.real().ask(question);
  }

  @Test
  void writesAnIndexOnlyWhereTheCallComesToItOrLeavesIt() throws IOException {
    CallIndex here = index(Optional.of(OWNER_A), List.of(MEDIA_A), new TreeMap<>());
    Versioned<Note> first = indexed(CALL, Optional.empty(), 1, here);
    REDIS.server().ask("CONFIG", "RESETSTAT");
    Versioned<Note> second = indexed(CALL, Optional.of(first), 2, here);
    assertThat(REDIS.server().ask("INFO", "commandstats")).doesNotContain("zadd", "zrem");
    Versioned<Note> ended = indexed(CALL, Optional.of(second), 3, CallIndex.NONE);
    assertThat(REDIS.server().ask("INFO", "commandstats")).contains("cmdstat_zrem:calls=3,");
    REDIS.server().ask("CONFIG", "RESETSTAT");
    indexed(CALL, Optional.of(ended), 4, CallIndex.NONE);
    assertThat(REDIS.server().ask("INFO", "commandstats")).doesNotContain("zadd", "zrem");
  }

  @Override
  void inOneTurn(Runnable asking) {
    REDIS.real().loop().execute(asking);
  }

  @Test
  void asksForDueTimersOfAllPartitionsInFewScripts() throws IOException {
    claimOfAll(OptionalLong.empty());
    REDIS.server().ask("CONFIG", "RESETSTAT");
    claimOfAll(OptionalLong.empty());
    assertThat(REDIS.server().ask("INFO", "commandstats")).contains("cmdstat_evalsha:calls=4,");
  }

  @Test
  @DisplayName("a record of which an earlier build did not write that the call is listed")
  void listsACallOfAnEarlierBuild() throws IOException {
    CallIndex here = index(Optional.of(OWNER_A), List.of(), new TreeMap<>());
    Versioned<Note> first = indexed(CALL, Optional.empty(), 1, here);
    REDIS.server().ask("HDEL", PARTITION.tag() + ":call:" + CALL, "l");
    REDIS.server().ask("ZREM", PARTITION.tag() + ":calls", CALL.text());
    indexed(CALL, Optional.of(first), 2, here);
    assertThat(REDIS.server().ask("ZCARD", PARTITION.tag() + ":calls")).startsWith(":1");
  }

  @Test
  @DisplayName("a record from before starts were told apart names a start that is not alive")
  void anOwnerWithoutAStartIsRead() throws IOException {
    indexed(CALL, Optional.empty(), 1, index(Optional.of(OWNER_A), List.of(), new TreeMap<>()));
    REDIS.server().ask("HDEL", PARTITION.tag() + ":call:" + CALL, "n");
    assertThat(read())
        .isEqualTo(
            new ReadAnswer.Found<>(
                new Versioned<>(
                    1,
                    new CommitId(1),
                    note("n1"),
                    Optional.of(new Member(NODE_A, new Incarnation(0))))));
  }
}
