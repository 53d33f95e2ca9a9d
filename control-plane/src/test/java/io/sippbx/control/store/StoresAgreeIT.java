package io.sippbx.control.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.redis.RealStore;
import io.sippbx.control.store.redis.RedisServer;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory and Lua get the same random commands and give the same answers. */
class StoresAgreeIT {

  private static final int STEPS = 400;

  /** Reached within so many steps. */
  private static final int OUTBOX = 100;

  private static final List<NodeId> NODES =
      List.of(new NodeId("n1"), new NodeId("n2"), new NodeId("n3"));

  private static RedisServer server;
  private static RealStore real;

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final InMemoryCallStore<Note> memory =
      new InMemoryCallStore<>(clock.loops("node", 1), OUTBOX);

  @BeforeAll
  static void start() throws Exception {
    server = RedisServer.start();
    real = new RealStore(server.settings());
  }

  @AfterAll
  static void stop() throws IOException {
    real.close();
    server.close();
  }

  @BeforeEach
  void clear() throws IOException {
    server.clear();
  }

  private <T> T inMemory(Consumer<Consumer<T>> question) {
    var answers = new ArrayList<T>();
    question.accept(answers::add);
    clock.runReady();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  /** Ids in outboxes hold the store's time: all that is compared of them is how many there are. */
  private static Object comparable(Object answer) {
    return switch (answer) {
      case CommitAnswer.Applied<?>(long version, var ids) ->
          "applied " + version + " " + ids.size();
      case CommitAnswer.AlreadyApplied<?>(long version, var ids) ->
          "already " + version + " " + ids.size();
      case PartitionStore.Batch<?>(var entries, boolean more) ->
          entries.stream()
                  .map(
                      each ->
                          each instanceof PartitionStore.OutboxEntry entry
                              ? entry.event().id()
                              : each.toString())
                  .toList()
              + (more ? " and more" : "");
      default -> answer;
    };
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void agree(long seed) throws IOException {
    var random = new Random(seed);
    CallStore<Note> redis = real.store().calls(new Note.Codec(), new OutboxLimit(OUTBOX));
    PartitionStore partitions = real.store().partitions();
    List<List<Versioned<Note>>> seen = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      seen.add(new ArrayList<>());
    }
    for (int step = 0; step < STEPS; step++) {
      int number = random.nextInt(4);
      CallKey call = CallStoreContract.key(number);
      Partition partition = Partition.of(call);
      List<Versioned<Note>> known = seen.get(number);
      Object expected;
      Object said;
      String what;
      switch (random.nextInt(10)) {
        case 0 -> {
          what = "read";
          expected = this.<ReadAnswer<Note>>inMemory(answer -> memory.read(call, answer));
          said = real.<ReadAnswer<Note>>ask(answer -> redis.read(call, answer));
          if (said instanceof ReadAnswer.Found<?>(var current)
              && current.record() instanceof Note note) {
            known.add(new Versioned<>(current.version(), current.commit(), note, current.owner()));
          }
        }
        case 1 -> {
          NodeId node = NODES.get(random.nextInt(3));
          int limit = 1 + random.nextInt(3);
          int which = random.nextInt(3);
          Optional<CallKey> after =
              random.nextBoolean()
                  ? Optional.empty()
                  : Optional.of(CallStoreContract.key(random.nextInt(4)));
          what = "list " + which + " " + node;
          expected =
              this.<PartitionStore.Answer<CallKey>>inMemory(
                  answer -> list(memory, which, partition, node, after, limit, answer));
          said =
              real.<PartitionStore.Answer<CallKey>>ask(
                  answer -> list(partitions, which, partition, node, after, limit, answer));
        }
        case 2 -> {
          OptionalLong epoch =
              random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(random.nextInt(3));
          int limit = 1 + random.nextInt(5);
          what = "claim";
          expected =
              this.<PartitionStore.Answer<PartitionStore.DueTimer>>inMemory(
                  answer -> memory.claimTimers(partition, epoch, limit, answer));
          said =
              real.<PartitionStore.Answer<PartitionStore.DueTimer>>ask(
                  answer -> partitions.claimTimers(partition, epoch, limit, answer));
        }
        case 3 -> {
          what = "outbox";
          expected =
              this.<PartitionStore.Answer<PartitionStore.OutboxEntry>>inMemory(
                  answer -> memory.outbox(partition, Optional.empty(), 1000, answer));
          said =
              real.<PartitionStore.Answer<PartitionStore.OutboxEntry>>ask(
                  answer -> partitions.outbox(partition, Optional.empty(), 1000, answer));
        }
        case 4 -> {
          long epoch = random.nextInt(3);
          what = "epoch " + epoch;
          memory.setEpoch(partition, epoch);
          server.ask("HSET", partition.tag() + ":keeper", "epoch", "" + epoch);
          expected = "";
          said = "";
        }
        case 5 -> {
          CallIndex index = index(random);
          Versioned<Note> ours =
              new Versioned<>(
                  1 + random.nextInt(6), new CommitId(step), note(random, step), index.owner());
          var restore =
              new CallRestore<>(call, ours, events(random, step), index, CallCommit.LAST_RESORT);
          what = "restore " + restore;
          expected = this.<CommitAnswer<Note>>inMemory(answer -> memory.restore(restore, answer));
          said = real.<CommitAnswer<Note>>ask(answer -> redis.restore(restore, answer));
          if (said instanceof CommitAnswer.Applied<?>) {
            known.add(ours);
          }
        }
        default -> {
          Optional<Versioned<Note>> read =
              known.isEmpty() || random.nextInt(8) == 0
                  ? Optional.empty()
                  : Optional.of(
                      random.nextInt(4) == 0
                          ? known.get(random.nextInt(known.size()))
                          : known.getLast());
          CommitId id =
              random.nextInt(6) == 0 && !known.isEmpty()
                  ? known.getLast().commit()
                  : new CommitId(step);
          Optional<Note> record =
              random.nextInt(12) == 0 ? Optional.empty() : Optional.of(note(random, step));
          var commit =
              new CallCommit<>(
                  call,
                  read,
                  id,
                  record,
                  events(random, step),
                  index(random),
                  Duration.ofHours(1),
                  random.nextInt(4) == 0
                      ? OptionalLong.of(random.nextInt(3))
                      : OptionalLong.empty());
          what = "commit " + commit;
          expected = this.<CommitAnswer<Note>>inMemory(answer -> memory.commit(commit, answer));
          said = real.<CommitAnswer<Note>>ask(answer -> redis.commit(commit, answer));
          if (said instanceof CommitAnswer.Applied<?>(long version, var ids)) {
            if (record.isPresent()) {
              known.add(new Versioned<>(version, id, record.get()));
            } else if (random.nextBoolean()) {
              known.clear();
            }
          } else if (said instanceof CommitAnswer.Gone<?>) {
            known.clear();
          }
        }
      }
      assertThat(comparable(said))
          .as("seed %d step %d: %s", seed, step, what)
          .isEqualTo(comparable(expected));
    }
  }

  private static void list(
      PartitionStore store,
      int which,
      Partition partition,
      NodeId node,
      Optional<CallKey> after,
      int limit,
      Consumer<PartitionStore.Answer<CallKey>> answer) {
    switch (which) {
      case 0 -> store.onMedia(partition, node, after, limit, answer);
      case 1 -> store.inFlight(partition, node, after, limit, answer);
      default -> store.calls(partition, after, limit, answer);
    }
  }

  private static Note note(Random random, int step) {
    var note = new Note("step " + step);
    for (int i = 0; i < 3; i++) {
      note = random.nextBoolean() ? note.with("f" + i, "content " + i) : note;
    }
    return note;
  }

  private static List<io.sippbx.proto.event.v1.CallEvent> events(Random random, int step) {
    var events = new ArrayList<io.sippbx.proto.event.v1.CallEvent>();
    for (int i = random.nextInt(3); i > 0; i--) {
      events.add(CallStoreContract.event("e" + step + "." + i));
    }
    return events;
  }

  /** Timers that are long past or far off in either store's time. */
  private static CallIndex index(Random random) {
    var timers = new TreeMap<String, Instant>();
    for (int i = 0; i < 3; i++) {
      if (random.nextInt(3) == 0) {
        timers.put(
            "t" + i,
            Instant.parse(random.nextBoolean() ? "2020-01-01T00:00:00Z" : "2090-01-01T00:00:00Z")
                .plusMillis(random.nextInt(5)));
      }
    }
    return new CallIndex(
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(
                new Member(NODES.get(random.nextInt(3)), new Incarnation(random.nextInt(2)))),
        NODES.subList(random.nextInt(3), 3),
        timers,
        random.nextBoolean());
  }
}
