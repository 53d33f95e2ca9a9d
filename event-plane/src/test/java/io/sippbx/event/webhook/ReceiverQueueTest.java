package io.sippbx.event.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.event.webhook.ReceiverQueue.Action;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiverQueueTest {

  private static final Duration GAP = Duration.ofSeconds(30);
  private static final Outcome OK = new Outcome.Delivered(200);
  private static final Outcome FAILED = new Outcome.Again(500, "status 500", Optional.empty());

  private long nowNs = 5;
  private final List<String> done = new ArrayList<>();

  private ReceiverQueue queue(int concurrency, int capacity, Duration gap, boolean spills) {
    return new ReceiverQueue(
        new ReceiverQueue.Limits(concurrency, capacity, gap, spills, 50),
        new RetrySchedule(2, () -> 0.5));
  }

  private static Webhook webhook(String call, int seq) {
    return new Webhook(call + ":" + seq, WebhookType.CALL_RINGING, call, seq, "{}");
  }

  private boolean offer(ReceiverQueue queue, String call, int seq) {
    return queue.offer(webhook(call, seq), true, () -> done.add(call + seq), nowNs);
  }

  private boolean unwanted(ReceiverQueue queue, String call, int seq) {
    return queue.offer(webhook(call, seq), false, () -> done.add(call + seq), nowNs);
  }

  /** What is to be posted and put aside now; what is done with is run. */
  private List<Action> actions(ReceiverQueue queue) {
    queue.advance(nowNs);
    var all = new ArrayList<Action>();
    for (Action next = queue.poll(); next != null; next = queue.poll()) {
      if (next instanceof Action.Done(List<Runnable> dones)) {
        dones.forEach(Runnable::run);
      } else {
        all.add(next);
      }
    }
    return all;
  }

  private List<WebhookItem> posts(ReceiverQueue queue) {
    var items = new ArrayList<WebhookItem>();
    for (Action each : actions(queue)) {
      if (each instanceof Action.Post(WebhookItem item)) {
        items.add(item);
      }
    }
    return items;
  }

  private static List<String> ids(List<WebhookItem> items) {
    return items.stream().map(item -> item.webhook().id()).toList();
  }

  private void pass(Duration time) {
    nowNs += time.toNanos();
  }

  @Test
  void postsACallsEventsOneAfterAnotherAndOtherCallsBeside() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    offer(queue, "a", 2);
    offer(queue, "b", 1);
    List<WebhookItem> first = posts(queue);
    assertThat(ids(first)).containsExactly("a:1", "b:1");
    queue.answered(first.getFirst(), OK, nowNs);
    assertThat(ids(posts(queue))).containsExactly("a:2");
    assertThat(done).containsExactly("a1");
  }

  @Test
  void makesNoMoreRequestsAtOnceThanAllowed() {
    ReceiverQueue queue = queue(2, 100, GAP, false);
    for (String call : List.of("a", "b", "c")) {
      offer(queue, call, 1);
    }
    List<WebhookItem> first = posts(queue);
    assertThat(first).hasSize(2);
    queue.answered(first.get(1), FAILED, nowNs);
    assertThat(ids(posts(queue))).containsExactly("c:1");
    assertThat(queue.posting()).isEqualTo(2);
  }

  @Test
  void triesAgainAfterPausesThenPutsAsideAndGoesOn() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    offer(queue, "a", 2);
    for (int seconds : List.of(1, 3)) {
      queue.answered(posts(queue).getFirst(), FAILED, nowNs);
      assertThat(posts(queue)).isEmpty();
      pass(Duration.ofSeconds(seconds).minusNanos(1));
      assertThat(posts(queue)).isEmpty();
      pass(Duration.ofNanos(1));
      assertThat(queue.nextAtNs()).hasValue(nowNs);
    }
    WebhookItem last = posts(queue).getFirst();
    assertThat(last.attempts()).isEqualTo(3);
    queue.answered(last, FAILED, nowNs);
    List<Action> after = actions(queue);
    assertThat(after).containsExactly(new Action.PutAside(last, "status 500"));
    assertThat(done).isEmpty();
    queue.putAside(last, true, nowNs);
    assertThat(ids(posts(queue))).containsExactly("a:2");
    assertThat(done).containsExactly("a1");
  }

  @Test
  void putsAsideAtOnceWhatIsRefused() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    WebhookItem item = posts(queue).getFirst();
    queue.answered(item, new Outcome.Refused(400, "status 400"), nowNs);
    assertThat(actions(queue)).containsExactly(new Action.PutAside(item, "status 400"));
  }

  @Test
  void isNotDoneWithWhatCannotBePutAsideAndTriesThatAgain() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    WebhookItem item = posts(queue).getFirst();
    queue.answered(item, new Outcome.Refused(400, "no"), nowNs);
    assertThat(actions(queue)).hasSize(1);
    queue.putAside(item, false, nowNs);
    assertThat(actions(queue)).isEmpty();
    pass(Duration.ofSeconds(5));
    assertThat(actions(queue)).containsExactly(new Action.PutAside(item, "no"));
    assertThat(done).isEmpty();
  }

  @Test
  void asksNothingOfAReceiverThatWantsAPauseNotEvenForOtherCalls() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    var busy = new Outcome.Again(429, "status 429", Optional.of(Duration.ofSeconds(20)));
    queue.answered(posts(queue).getFirst(), busy, nowNs);
    offer(queue, "b", 1);
    pass(Duration.ofSeconds(19));
    assertThat(posts(queue)).isEmpty();
    pass(Duration.ofSeconds(1));
    assertThat(ids(posts(queue))).containsExactlyInAnyOrder("a:1", "b:1");
  }

  @Test
  void holdsWhatCameEarlyUntilWhatIsMissingCame() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 3);
    offer(queue, "a", 2);
    assertThat(posts(queue)).isEmpty();
    offer(queue, "a", 1);
    var order = new ArrayList<String>();
    for (List<WebhookItem> next = posts(queue); !next.isEmpty(); next = posts(queue)) {
      order.addAll(ids(next));
      queue.answered(next.getFirst(), OK, nowNs);
    }
    assertThat(order).containsExactly("a:1", "a:2", "a:3");
    assertThat(queue.gaps()).isZero();
  }

  @Test
  void givesUpWhatIsMissingAfterAWhileAndStillPostsItWhenItComes() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 2);
    offer(queue, "a", 4);
    pass(GAP.minusNanos(1));
    assertThat(posts(queue)).isEmpty();
    pass(Duration.ofNanos(1));
    List<WebhookItem> first = posts(queue);
    assertThat(ids(first)).containsExactly("a:2");
    queue.answered(first.getFirst(), OK, nowNs);
    assertThat(posts(queue)).isEmpty();
    pass(GAP);
    assertThat(queue.nextAtNs().orElseThrow()).isLessThanOrEqualTo(nowNs);
    assertThat(ids(posts(queue))).containsExactly("a:4");
    assertThat(queue.gaps()).isEqualTo(2);
    offer(queue, "a", 3);
    assertThat(queue.late()).isEqualTo(1);
    assertThat(queue.inHand()).isEqualTo(2);
  }

  @Test
  void waitsForNothingWhereEventsComeInOrder() {
    ReceiverQueue queue = queue(4, 100, Duration.ZERO, true);
    offer(queue, "a", 3);
    assertThat(ids(posts(queue))).containsExactly("a:3");
  }

  @Test
  void passesOverWhatTheReceiverDoesNotWantInItsOrder() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    unwanted(queue, "a", 2);
    offer(queue, "a", 3);
    WebhookItem first = posts(queue).getFirst();
    assertThat(done).isEmpty();
    queue.answered(first, OK, nowNs);
    assertThat(ids(posts(queue))).containsExactly("a:3");
    assertThat(done).containsExactly("a1", "a2");
  }

  @Test
  void postsOnceWhatComesAgainWhileItIsInHandAndTellsBothWhenItIsDone() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    WebhookItem item = posts(queue).getFirst();
    offer(queue, "a", 1);
    assertThat(posts(queue)).isEmpty();
    assertThat(done).isEmpty();
    queue.answered(item, OK, nowNs);
    assertThat(posts(queue)).isEmpty();
    assertThat(done).containsExactly("a1", "a1");
    offer(queue, "a", 1);
    assertThat(posts(queue)).isEmpty();
    assertThat(done).containsExactly("a1", "a1", "a1");
    assertThat(queue.repeats()).isEqualTo(2);
  }

  @Test
  void postsAnotherEventOfAPlaceThatOneHadBefore() {
    // Redis lost a commit that Kafka had, and the call went another way.
    ReceiverQueue queue = queue(4, 100, GAP, false);
    offer(queue, "a", 1);
    queue.answered(posts(queue).getFirst(), OK, nowNs);
    queue.offer(
        new Webhook("a:other", WebhookType.CALL_ENDED, "a", 1, "{}"), true, () -> {}, nowNs);
    assertThat(ids(posts(queue))).containsExactly("a:other");
  }

  @Test
  void knowsWhatWasDoneBeforeItWasStarted() {
    ReceiverQueue queue = queue(4, 100, GAP, false);
    queue.recall("a", 2, "a:2");
    queue.recall("a", 3, "a:3");
    offer(queue, "a", 3);
    offer(queue, "a", 4);
    assertThat(ids(posts(queue))).containsExactly("a:4");
    assertThat(done).containsExactly("a3");
  }

  @Test
  void hasNoRoomBeyondItsCapacity() {
    ReceiverQueue queue = queue(1, 2, GAP, false);
    assertThat(offer(queue, "a", 1)).isTrue();
    assertThat(offer(queue, "b", 1)).isTrue();
    assertThat(offer(queue, "c", 1)).isFalse();
    queue.answered(posts(queue).getFirst(), OK, nowNs);
    assertThat(offer(queue, "c", 1)).isTrue();
  }

  @Test
  void putsAsideAtOnceWhatThereIsNoRoomForWhereOthersWouldWait() {
    ReceiverQueue queue = queue(1, 2, Duration.ZERO, true);
    offer(queue, "a", 1);
    offer(queue, "b", 1);
    WebhookItem posted = posts(queue).getFirst();
    assertThat(offer(queue, "a", 2)).isTrue();
    assertThat(unwanted(queue, "a", 3)).isTrue();
    List<Action> spilled = actions(queue);
    assertThat(spilled).hasSize(1);
    WebhookItem item = ((Action.PutAside) spilled.getFirst()).item();
    assertThat(item.webhook().id()).isEqualTo("a:2");
    assertThat(queue.spilled()).isEqualTo(1);
    queue.putAside(item, false, nowNs);
    offer(queue, "d", 1);
    assertThat(offer(queue, "e", 1)).as("beyond twice the capacity").isFalse();
    pass(Duration.ofSeconds(5));
    assertThat(actions(queue)).hasSize(2);
    queue.putAside(item, true, nowNs);
    queue.answered(posted, OK, nowNs);
    assertThat(ids(posts(queue))).containsExactly("b:1");
    assertThat(done).containsExactlyInAnyOrder("a1", "a2", "a3");
  }

  @Test
  void forgetsCallsOfWhichNothingIsInHand() {
    ReceiverQueue queue = queue(1_000, 1_000, GAP, false);
    // Ten that stay in hand stand in the way of those that are forgotten.
    for (int i = 0; i < 10; i++) {
      offer(queue, "stuck" + i, 1);
    }
    assertThat(posts(queue)).hasSize(10);
    for (int i = 0; i < 500; i++) {
      offer(queue, "c" + i, 1);
      queue.answered(posts(queue).getFirst(), OK, nowNs);
    }
    assertThat(queue.known()).isLessThanOrEqualTo(50 + queue.inHand() + 1);
    assertThat(queue.inHand()).isEqualTo(10);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyEventIsDeliveredOrPutAsideOnceAndInOrderWhateverHappens(long seed) {
    var random = new Random(seed);
    ReceiverQueue queue = queue(3, 20, GAP, false);
    Map<String, List<Integer>> told = new LinkedHashMap<>();
    var waiting = new ArrayList<Webhook>();
    for (int call = 0; call < 30; call++) {
      for (int seq = 1; seq <= 5; seq++) {
        waiting.add(webhook("c" + call, seq));
      }
    }
    // A little out of order, and some twice.
    for (int i = 0; i < 60; i++) {
      int at = random.nextInt(waiting.size() - 3);
      waiting.add(at + random.nextInt(3), waiting.remove(at));
    }
    for (int i = 0; i < 20; i++) {
      int at = random.nextInt(waiting.size());
      waiting.add(at, waiting.get(random.nextInt(at + 1)));
    }
    int offered = waiting.size();
    var running = new ArrayList<WebhookItem>();
    var aside = new ArrayList<WebhookItem>();
    for (int step = 0; done.size() < offered; step++) {
      assertThat(step).as("steps of seed %d", seed).isLessThan(100_000);
      if (!waiting.isEmpty() && random.nextBoolean()) {
        Webhook next = waiting.getFirst();
        if (queue.offer(next, true, () -> done.add(next.id()), nowNs)) {
          waiting.removeFirst();
        }
      }
      for (Action each : actions(queue)) {
        switch (each) {
          case Action.Post(WebhookItem item) -> running.add(item);
          case Action.PutAside(WebhookItem item, String reason) -> aside.add(item);
          case Action.Done ignored -> throw new IllegalStateException();
        }
      }
      assertThat(running.size()).isLessThanOrEqualTo(3);
      assertThat(queue.inHand()).isLessThanOrEqualTo(20);
      if (!running.isEmpty() && random.nextBoolean()) {
        WebhookItem item = running.remove(random.nextInt(running.size()));
        boolean good = random.nextInt(3) > 0;
        if (good) {
          told.computeIfAbsent(item.webhook().subject(), _ -> new ArrayList<>())
              .add(item.webhook().seq());
        }
        queue.answered(item, good ? OK : FAILED, nowNs);
      }
      if (!aside.isEmpty() && random.nextBoolean()) {
        WebhookItem item = aside.remove(random.nextInt(aside.size()));
        boolean kept = random.nextBoolean();
        if (kept) {
          told.computeIfAbsent(item.webhook().subject(), _ -> new ArrayList<>())
              .add(item.webhook().seq());
        }
        queue.putAside(item, kept, nowNs);
      }
      pass(Duration.ofMillis(random.nextInt(1_000)));
    }
    assertThat(told).hasSize(30);
    assertThat(told.values()).allSatisfy(seqs -> assertThat(seqs).containsExactly(1, 2, 3, 4, 5));
    assertThat(queue.inHand()).isZero();
  }
}
