package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.store.redis.FreshRedis;
import io.sippbx.control.store.redis.RedisServer;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the cluster's part of the store on a real Redis")
class RedisClusterStoreIT extends ClusterStoreContract {

  private static final int STEPS = 300;

  @RegisterExtension private static final FreshRedis REDIS = new FreshRedis();

  @Override
  ClusterStore store() {
    return REDIS.real().store().cluster(REDIS.real().loop());
  }

  @Override
  PartitionStore partitions() {
    return REDIS.real().store().partitions();
  }

  @Override
  void pass(Duration time) {
    Instant end = Instant.now().plus(time);
    RedisServer.await("time to pass", time.toMillis() + 10_000, () -> Instant.now().isAfter(end));
  }

  @Override
  <T> T ask(Consumer<Consumer<T>> question) {
    return REDIS.real().ask(question);
  }

  @Test
  void aCommitOfAKeeperThatWasReplacedIsFenced() {
    CallStore<String> calls = REDIS.real().store().calls(new Text(), OutboxLimit.NONE);
    var octets = new byte[16];
    octets[0] = (byte) (P.number() << 2);
    CallKey call = CallKey.ofBytes(octets);
    assertThat(Partition.of(call)).isEqualTo(P);
    long first =
        epoch(this.<ClusterStore.Keeping>ask(answer -> store().keep(P, A1, List.of(), answer)));
    assertThat(commit(calls, call, Optional.empty(), 1, first))
        .isEqualTo(new CommitAnswer.Applied<>(1));
    long second =
        epoch(this.<ClusterStore.Keeping>ask(answer -> store().keep(P, B1, List.of(B1), answer)));
    var read = Optional.of(new Versioned<>(1, new CommitId(1), "text"));
    assertThat(commit(calls, call, read, 2, first)).isEqualTo(new CommitAnswer.Fenced<>(second));
    assertThat(commit(calls, call, read, 3, second)).isEqualTo(new CommitAnswer.Applied<>(2));
  }

  private static long epoch(ClusterStore.Keeping said) {
    assertThat(said).isInstanceOf(ClusterStore.Keeping.Held.class);
    return ((ClusterStore.Keeping.Held) said).epoch();
  }

  /** An epoch that a fail-over has lost is never given to another. */
  @Test
  void anEpochIsHigherThanOneThatRedisHasLost() throws IOException {
    long lost =
        epoch(this.<ClusterStore.Keeping>ask(answer -> store().keep(P, A1, List.of(), answer)));
    REDIS.server().ask("DEL", P.tag() + ":keeper");
    pass(Duration.ofMillis(2));
    long next =
        epoch(this.<ClusterStore.Keeping>ask(answer -> store().keep(P, B1, List.of(), answer)));
    assertThat(next).isGreaterThan(lost);
  }

  @Test
  void namesKeysByWhatTheyAre() throws IOException {
    this.<ClusterStore.Beating>ask(answer -> store().beat(beat(A1, 1), LONG, answer));
    this.<ClusterStore.Keeping>ask(answer -> store().keep(P, A1, List.of(), answer));
    assertThat(REDIS.server().ask("HGET", "{cluster}:node:a", "s")).isEqualTo("$1\r\n1\r\n");
    assertThat(REDIS.server().ask("PTTL", "{cluster}:node:a")).matches(":3[56]\\d{5}\r\n");
    assertThat(REDIS.server().ask("HGET", "{p07}:keeper", "node")).isEqualTo("$1\r\na\r\n");
    assertThat(REDIS.server().ask("HGET", "{p07}:keeper", "incarnation"))
        .contains("0000000000000001");
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void saysWhatMemorySays(long seed) {
    var clock = VirtualLoops.inOrder();
    ClusterStore memory = new InMemoryClusterStore(clock.loop("memory"));
    var random = new Random(seed);
    var epochs = List.of(new TreeMap<String, String>(), new TreeMap<String, String>());
    for (int step = 0; step < STEPS; step++) {
      Consumer<Both> question = question(random, step);
      var expected = new ArrayList<Object>();
      question.accept(new Both(memory, expected::add));
      clock.runReady();
      Object said = REDIS.real().<Object>ask(answer -> question.accept(new Both(store(), answer)));
      assertThat(comparable(said, epochs.getFirst()))
          .as("seed %d step %d", seed, step)
          .isEqualTo(comparable(expected.getFirst(), epochs.getLast()));
    }
  }

  private record Both(ClusterStore store, Consumer<Object> answer) {}

  private static Consumer<Both> question(Random random, int step) {
    Member member = member("n" + random.nextInt(3), 1 + random.nextInt(4));
    var partition = new Partition(3);
    return switch (random.nextInt(8)) {
      case 0, 1 -> {
        var beat =
            new Beat(
                member.node(),
                member.incarnation(),
                1 + step + random.nextInt(20),
                random.nextInt(4) == 0,
                new Announced(
                    random.nextBoolean()
                        ? Optional.empty()
                        : Optional.of(Endpoint.of("::1", random.nextInt(65_536))),
                    "x".repeat(random.nextInt(3))));
        yield both -> both.store().beat(beat, LONG, both.answer()::accept);
      }
      case 2 -> both -> both.store().leave(member, both.answer()::accept);
      case 3 -> {
        int from = random.nextInt(64);
        List<Partition> some = partitions(from, from + 1 + random.nextInt(64 - from));
        yield both -> both.store().swept(member, some, both.answer()::accept);
      }
      case 4 -> both -> both.store().giveUp(partition, member, both.answer()::accept);
      case 5, 6 -> {
        var living = new ArrayList<Member>();
        for (int i = random.nextInt(5); i > 0; i--) {
          living.add(member("n" + random.nextInt(3), 1 + random.nextInt(4)));
        }
        yield both -> both.store().keep(partition, member, living, both.answer()::accept);
      }
      default -> both -> both.store().census(both.answer()::accept);
    };
  }

  /** Epochs are times: compared by which they are of those seen. */
  private static String comparable(Object said, Map<String, String> epochs) {
    if (said instanceof ClusterStore.Keeping.Held(Optional<Member> member, long epoch)) {
      String name =
          epoch == 0 ? "none" : epochs.computeIfAbsent("" + epoch, each -> "e" + epochs.size());
      return member + " " + name;
    }
    return said.toString();
  }

  private static CommitAnswer<String> commit(
      CallStore<String> calls,
      CallKey call,
      Optional<Versioned<String>> read,
      long id,
      long epoch) {
    return REDIS
        .real()
        .<CommitAnswer<String>>ask(
            answer ->
                calls.commit(
                    new CallCommit<>(
                        call,
                        read,
                        new CommitId(id),
                        Optional.of("text"),
                        List.of(),
                        CallIndex.NONE,
                        LONG,
                        OptionalLong.of(epoch)),
                    answer));
  }

  private static final class Text implements RecordCodec<String> {
    @Override
    public Encoded encode(String text) {
      return new Encoded(ByteString.copyFromUtf8(text), new TreeMap<>());
    }

    @Override
    public Decoded<String> decode(Encoded stored) {
      return new Read<>(stored.head().toStringUtf8());
    }
  }
}
