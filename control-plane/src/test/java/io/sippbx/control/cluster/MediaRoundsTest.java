package io.sippbx.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaListing;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaNodeSeen;
import io.sippbx.control.media.MediaNodeSeen.Standing;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.MediaRestorer;
import io.sippbx.control.media.MediaWitness;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@DisplayName("what a keeper does for the calls on media nodes")
class MediaRoundsTest {

  private static final NodeId M1 = new NodeId("media-1");
  private static final NodeId M2 = new NodeId("media-2");
  private static final List<Partition> ALL =
      IntStream.range(0, Partition.COUNT).mapToObj(Partition::new).toList();

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("rounds");
  private final InMemoryCallStore<String> store =
      new InMemoryCallStore<>(time.loops("store", 1), 10);
  private final FakePlane plane = new FakePlane();
  private static final NodeId C1 = new NodeId("control-1");
  private static final NodeId C2 = new NodeId("control-2");
  private final List<MediaEvent> told = new ArrayList<>();
  private final Map<CallKey, Versioned<String>> records = new LinkedHashMap<>();
  private final TreeMap<NodeId, List<CallKey>> owned = new TreeMap<>();
  private List<Partition> kept = ALL;
  private boolean settled = true;
  private long commits;
  private final MediaRounds rounds = rounds(MediaRoundsSettings.DEFAULT);

  private MediaRounds rounds(MediaRoundsSettings settings) {
    return new MediaRounds(
        loop,
        settings,
        new MediaRounds.Ports(
            store,
            plane,
            () -> kept,
            () -> settled,
            (node, answer) -> answer.accept(owned.getOrDefault(node, List.of())),
            told::add,
            () -> List.of(C1, C2)));
  }

  /** Media nodes of which a test says how they are and what they hold. */
  private static final class FakePlane implements MediaPlane {
    private final TreeMap<NodeId, MediaNodeSeen> nodes = new TreeMap<>();
    private final TreeMap<NodeId, List<MediaListing.Session>> held = new TreeMap<>();
    private final List<CallKey> released = new ArrayList<>();
    private Optional<MediaRestorer> restorer = Optional.empty();

    void is(NodeId node, Standing standing, int sessions) {
      nodes.put(node, new MediaNodeSeen(node, standing, new Incarnation(1), sessions, 4));
    }

    void holds(NodeId node, CallKey call) {
      held.computeIfAbsent(node, each -> new ArrayList<>())
          .add(new MediaListing.Session(call, 3, true, 2));
      held.get(node).sort((a, b) -> a.call().compareTo(b.call()));
    }

    @Override
    public List<MediaNodeSeen> seen() {
      return List.copyOf(nodes.values());
    }

    @Override
    public void list(NodeId node, Optional<CallKey> after, Consumer<MediaListing> answer) {
      List<MediaListing.Session> page =
          held.getOrDefault(node, List.of()).stream()
              .filter(each -> after.isEmpty() || each.call().compareTo(after.get()) > 0)
              .limit(2)
              .toList();
      answer.accept(
          new MediaListing.Page(
              page, page.size() < 2 ? Optional.empty() : Optional.of(page.getLast().call())));
    }

    @Override
    public void witnessedBy(MediaWitness witness) {}

    @Override
    public void onRestore(MediaRestorer now) {
      restorer = Optional.of(now);
    }

    @Override
    public Optional<NodeId> place(MediaNeed need) {
      throw new IllegalStateException("Expected no placing");
    }

    @Override
    public Optional<NodeId> place(MediaNeed need, List<NodeId> except) {
      throw new IllegalStateException("Expected no placing");
    }

    @Override
    public void apply(NodeId node, SessionSpec spec, Consumer<MediaAnswer> answer) {
      throw new IllegalStateException("Expected no Apply");
    }

    @Override
    public void release(NodeId node, CallKey call, long revision, Consumer<MediaAnswer> answer) {
      assertThat(revision).isEqualTo(3);
      released.add(call);
      Objects.requireNonNull(held.get(node)).removeIf(each -> each.call().equals(call));
    }

    @Override
    public void onEvent(Consumer<MediaEvent> listener) {}
  }

  private static CallKey call(int number) {
    byte[] octets = new byte[16];
    octets[0] = (byte) (number * 37);
    octets[14] = (byte) (number >> 8);
    octets[15] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  /** The record of a call says that its media is on these nodes. */
  private CallKey recorded(int number, NodeId... nodes) {
    CallKey call = call(number);
    var index = new CallIndex(Optional.empty(), List.of(nodes), new TreeMap<>());
    var answers = new ArrayList<CommitAnswer<String>>();
    store.commit(
        new CallCommit<>(
            call,
            Optional.ofNullable(records.get(call)),
            new CommitId(++commits),
            Optional.of("call"),
            List.of(),
            index,
            CallCommit.LAST_RESORT,
            OptionalLong.empty()),
        answers::add);
    time.runReady();
    long version = ((CommitAnswer.Applied<String>) answers.getFirst()).version();
    records.put(call, new Versioned<>(version, new CommitId(commits), "call"));
    return call;
  }

  private void pass(long millis) {
    time.advance(Duration.ofMillis(millis));
  }

  private List<CallKey> toldOf(Class<? extends MediaEvent> kind) {
    return told.stream().filter(kind::isInstance).map(MediaEvent::call).sorted().toList();
  }

  @Nested
  class OfALostNode {
    @Test
    void theCallsAreToldAtOnceAndAgainUntilTheRecordsNameItNoMore() {
      CallKey first = recorded(1, M1);
      CallKey second = recorded(2, M1);
      recorded(3, M2);
      plane.is(M1, Standing.LOST, 2);
      plane.is(M2, Standing.RUNNING, 1);
      rounds.start();
      pass(20);
      assertThat(toldOf(MediaEvent.NodeLost.class)).containsExactlyInAnyOrder(first, second);
      recorded(1, M2);
      told.clear();
      pass(2_100);
      assertThat(toldOf(MediaEvent.NodeLost.class)).containsExactly(second);
      recorded(2, M2);
      told.clear();
      pass(10_000);
      assertThat(toldOf(MediaEvent.NodeLost.class)).isEmpty();
    }

    @Test
    void thoseThatAreThisNodesOwnAreToldWhoeverKeepsThem() {
      kept = List.of();
      owned.put(M1, List.of(call(7)));
      plane.is(M1, Standing.LOST, 2);
      rounds.start();
      pass(500);
      assertThat(toldOf(MediaEvent.NodeLost.class)).containsExactly(call(7));
    }

    @Test
    void onlyThePartitionsThatAreKeptAreReadAndWithTheirShareOfTheRate() {
      for (int i = 0; i < 640; i++) {
        recorded(i, M1);
      }
      kept = ALL.subList(0, 16);
      plane.is(M1, Standing.LOST, 640);
      MediaRounds slow = rounds(MediaRoundsSettings.DEFAULT.withMovesPerSecond(100));
      slow.start();
      pass(1);
      int saved = told.size();
      assertThat(saved).as("a quarter of what is saved up in half a second").isBetween(10, 13);
      pass(1_000);
      assertThat(told.size() - saved).as("a quarter of a hundred").isBetween(22, 27);
      assertThat(told)
          .allSatisfy(each -> assertThat(kept).contains(Partition.of(each.call())))
          .doesNotHaveDuplicates();
    }

    @Test
    void nobodyIsToldAnyMoreOnceItIsHeardAgain() {
      for (int i = 0; i < 600; i++) {
        recorded(i, M1);
      }
      plane.is(M1, Standing.LOST, 600);
      rounds.start();
      pass(1);
      int some = told.size();
      assertThat(some).isBetween(200, 300);
      plane.is(M1, Standing.RUNNING, 600);
      pass(5_000);
      assertThat(toldOf(MediaEvent.NodeLost.class)).hasSize(some);
    }

    @Test
    void nobodyIsToldWhileItsSilenceIsInDoubt() {
      recorded(1, M1);
      plane.is(M1, Standing.SILENT, 1);
      plane.is(M2, Standing.SUSPECTED, 1);
      rounds.start();
      pass(60_000);
      assertThat(told).isEmpty();
    }
  }

  @Nested
  class OfANodeThatHasStarted {
    @Test
    void theCallsComeBackBeforeItTakesNewOnes() {
      CallKey first = recorded(1, M1);
      CallKey second = recorded(2, M1);
      plane.is(M1, Standing.RESTORING, 0);
      rounds.start();
      pass(10);
      var done = new ArrayList<String>();
      plane
          .restorer
          .orElseThrow()
          .restore(M1, List.of(second), keepers -> done.add("done of " + keepers));
      pass(100);
      assertThat(toldOf(MediaEvent.SessionLost.class))
          .as("one was told already")
          .containsExactly(first);
      assertThat(done).isEmpty();
      plane.is(M1, Standing.RESTORING, 2);
      pass(100);
      assertThat(done).containsExactly("done of [control-1, control-2]");
    }

    @Test
    void callsOfPartitionsThatAreKeptAMomentLaterComeBackToo() {
      CallKey first = recorded(1, M1);
      CallKey second = recorded(2, M1);
      kept = List.of(Partition.of(first));
      settled = false;
      plane.is(M1, Standing.RESTORING, 0);
      rounds.start();
      pass(10);
      var done = new ArrayList<String>();
      plane
          .restorer
          .orElseThrow()
          .restore(M1, List.of(), keepers -> done.add("done of " + keepers));
      pass(100);
      assertThat(toldOf(MediaEvent.SessionLost.class)).containsExactly(first);
      plane.is(M1, Standing.RESTORING, 1);
      pass(100);
      assertThat(done).as("the others have yet to be kept").isEmpty();
      kept = ALL;
      settled = true;
      pass(100);
      assertThat(toldOf(MediaEvent.SessionLost.class)).containsExactly(first, second);
      assertThat(done).isEmpty();
      plane.is(M1, Standing.RESTORING, 2);
      pass(100);
      assertThat(done).containsExactly("done of [control-1, control-2]");
    }

    @Test
    void oneThatDoesNotComeBackIsNotWaitedForLong() {
      recorded(1, M1);
      plane.is(M1, Standing.RESTORING, 0);
      rounds.start();
      pass(10);
      var done = new ArrayList<String>();
      plane
          .restorer
          .orElseThrow()
          .restore(M1, List.of(), keepers -> done.add("done of " + keepers));
      pass(1_900);
      assertThat(done).isEmpty();
      pass(200);
      assertThat(done).containsExactly("done of [control-1, control-2]");
    }

    @Test
    void itTakesNewOnesAtOnceWhereNothingWasOnIt() {
      plane.is(M1, Standing.RESTORING, 0);
      rounds.start();
      pass(10);
      var done = new ArrayList<String>();
      plane
          .restorer
          .orElseThrow()
          .restore(M1, List.of(), keepers -> done.add("done of " + keepers));
      pass(1);
      assertThat(done).containsExactly("done of [control-1, control-2]");
    }
  }

  @Nested
  class OfADrainedNode {
    @Test
    void theCallsAreToldUntilItIsEmpty() {
      CallKey call = recorded(1, M1);
      plane.is(M1, Standing.DRAINING, 1);
      rounds.start();
      pass(20);
      assertThat(toldOf(MediaEvent.NodeDraining.class)).containsExactly(call);
      pass(2_100);
      assertThat(toldOf(MediaEvent.NodeDraining.class)).hasSize(2);
      plane.is(M1, Standing.RUNNING, 1);
      pass(10_000);
      assertThat(toldOf(MediaEvent.NodeDraining.class)).as("undrained").hasSize(2);
    }
  }

  @Nested
  @DisplayName("compared with the records")
  class Compared {
    @Test
    void aSessionThatNobodyNamesIsReleasedInTheSecondComparison() {
      CallKey known = recorded(1, M1);
      plane.holds(M1, known);
      plane.holds(M1, call(2));
      plane.holds(M1, call(3));
      plane.is(M1, Standing.RUNNING, 3);
      rounds.start();
      pass(5_000);
      assertThat(plane.released).isEmpty();
      // One of them was only younger than its record.
      recorded(3, M1);
      pass(6_000);
      assertThat(plane.released).containsExactly(call(2));
      pass(20_000);
      assertThat(plane.released).hasSize(1);
      assertThat(rounds.counts().orphansReleased()).isEqualTo(1);
      assertThat(told).isEmpty();
    }

    @Test
    void aCallWithoutItsSessionIsToldThatItIsLostInTheSecondComparison() {
      CallKey call = recorded(1, M1);
      plane.holds(M1, call);
      plane.is(M1, Standing.RUNNING, 1);
      rounds.start();
      pass(5_000);
      Objects.requireNonNull(plane.held.get(M1)).clear();
      pass(6_000);
      assertThat(told).isEmpty();
      pass(10_000);
      assertThat(told).containsExactly(new MediaEvent.SessionLost(call, M1));
    }

    @Test
    @DisplayName("of a node that had started before anybody was there to bring its calls back")
    void callsWithoutTheirSessionsAreToldAtOnceAtFirst() {
      for (int i = 0; i < 1_500; i++) {
        recorded(i, M1);
      }
      plane.is(M1, Standing.RUNNING, 0);
      rounds.start();
      pass(60);
      assertThat(told).as("what is saved up of 2,000 a second").hasSizeBetween(1_000, 1_200);
      pass(400);
      assertThat(toldOf(MediaEvent.SessionLost.class)).hasSize(1_500).doesNotHaveDuplicates();
    }

    @Test
    void whatAnotherControlNodeKeepsIsItsBusiness() {
      plane.holds(M1, call(2));
      kept = ALL.stream().filter(each -> !each.equals(Partition.of(call(2)))).toList();
      plane.is(M1, Standing.RUNNING, 1);
      rounds.start();
      pass(60_000);
      assertThat(plane.released).isEmpty();
    }

    @Test
    void theLedgerSaysWhatIsAllocatedRecordedAndLent() {
      plane.holds(M1, recorded(1, M1));
      plane.holds(M1, recorded(2, M1));
      plane.is(M1, Standing.RUNNING, 2);
      rounds.start();
      pass(100);
      assertThat(rounds.ledger())
          .containsExactly(new MediaLedger(M1, Standing.RUNNING, 2, 2, 0, 0, 4, 4));
      plane.nodes.clear();
      pass(100);
      assertThat(rounds.ledger()).isEmpty();
    }

    @Test
    void oneThatIsLostIsNotAskedAndNothingOfItIsJudged() {
      recorded(1, M1);
      plane.is(M1, Standing.SILENT, 1);
      rounds.start();
      pass(60_000);
      assertThat(told).isEmpty();
      assertThat(rounds.ledger()).isEmpty();
    }
  }

  @Test
  void nothingIsToldAfterItHasStopped() {
    recorded(1, M1);
    plane.is(M1, Standing.LOST, 1);
    rounds.start();
    rounds.stop();
    pass(10_000);
    assertThat(told).isEmpty();
    assertThat(time.pending()).isZero();
  }
}
