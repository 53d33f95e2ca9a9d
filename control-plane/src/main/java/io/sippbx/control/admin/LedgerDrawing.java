package io.sippbx.control.admin;

import io.sippbx.control.call.Call;
import io.sippbx.control.call.MediaPart;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaDirectory;
import io.sippbx.control.media.MediaDirectory.HeldSession;
import io.sippbx.control.media.MediaDirectory.SeenNode;
import io.sippbx.control.media.MediaDirectory.SessionsAnswer;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.proto.admin.v1.Ledger;
import io.sippbx.proto.admin.v1.LedgerLine;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Draws up the ledger: for each media node the calls that the store has on it, the sessions that it
 * holds and the ports that it has bound. One at a time; who asks meanwhile gets the same.
 *
 * <p>Calls come and go while it is drawn up. So a line that does not balance is drawn up again, up
 * to {@value #ATTEMPTS} times in all, and a call is named only if it was wrong each time.
 */
final class LedgerDrawing {

  static final int ATTEMPTS = 3;
  static final int MAX_CALLS = 200_000;
  static final int MAX_NAMED = 100;
  private static final int PAGE = 1_000;
  private static final int MAX_READS = 1_000;

  private final Loop loop;
  private final CallStore<Call> calls;
  private final PartitionStore partitions;
  private final MediaDirectory media;
  private final List<Consumer<Ledger>> waiting = new ArrayList<>();

  /**
   * @param loop on which everything is done
   */
  LedgerDrawing(Loop loop, CallStore<Call> calls, PartitionStore partitions, MediaDirectory media) {
    this.loop = loop;
    this.calls = calls;
    this.partitions = partitions;
    this.media = media;
  }

  /** Draws it up. Any thread; the answer comes on the loop. */
  void draw(Consumer<Ledger> answer) {
    loop.execute(
        () -> {
          waiting.add(answer);
          if (waiting.size() == 1) {
            media.nodes(
                nodes ->
                    loop.execute(() -> nextNode(new ArrayDeque<>(nodes), Ledger.newBuilder())));
          }
        });
  }

  private void nextNode(Deque<SeenNode> left, Ledger.Builder ledger) {
    SeenNode node = left.poll();
    if (node != null) {
      new Line(
              node.id(),
              line -> {
                ledger.addLines(line);
                nextNode(left, ledger);
              })
          .begin();
      return;
    }
    ledger.setBalanced(ledger.getLinesList().stream().allMatch(LedgerLine::getBalanced));
    List<Consumer<Ledger>> all = List.copyOf(waiting);
    waiting.clear();
    all.forEach(each -> each.accept(ledger.build()));
  }

  /** One node's line. Lives on the loop. */
  private final class Line {
    private final NodeId node;
    private final Consumer<LedgerLine> done;
    private final TreeSet<CallKey> inStore = new TreeSet<>();
    private final TreeMap<CallKey, Integer> pairsOnNode = new TreeMap<>();
    private Optional<TreeSet<CallKey>> wrongBefore = Optional.empty();
    private TreeSet<CallKey> notInStore = new TreeSet<>();
    private TreeSet<CallKey> notOnNode = new TreeSet<>();
    private long bound;
    private int attempt;
    private int reads;

    Line(NodeId node, Consumer<LedgerLine> done) {
      this.node = node;
      this.done = done;
    }

    void begin() {
      attempt++;
      inStore.clear();
      pairsOnNode.clear();
      PartitionWalk.go(
          loop,
          (partition, after, limit, answer) ->
              partitions.onMedia(partition, node, after, limit, answer),
          PartitionWalk.Position.START,
          MAX_CALLS,
          outcome -> {
            switch (outcome) {
              case PartitionWalk.Outcome.Calls found -> {
                if (found.next().isPresent()) {
                  fail("more than " + MAX_CALLS + " calls are recorded on it");
                } else {
                  inStore.addAll(found.calls());
                  list(Optional.empty());
                }
              }
              case PartitionWalk.Outcome.Unavailable(String detail) -> fail(detail);
            }
          });
    }

    private void list(Optional<CallKey> after) {
      media.sessions(node, after, PAGE, answer -> loop.execute(() -> listed(answer)));
    }

    private void listed(SessionsAnswer answer) {
      switch (answer) {
        case SessionsAnswer.Page page -> {
          for (HeldSession session : page.sessions()) {
            pairsOnNode.put(session.call(), session.pairs());
          }
          bound = page.pairsInUse();
          if (page.next().isEmpty()) {
            compare();
          } else if (pairsOnNode.size() >= MAX_CALLS) {
            fail("it holds more than " + MAX_CALLS + " sessions");
          } else {
            list(page.next());
          }
        }
        case SessionsAnswer.Unreachable(String detail) -> fail(detail);
      }
    }

    private void compare() {
      notInStore = new TreeSet<>(pairsOnNode.keySet());
      notInStore.removeAll(inStore);
      notOnNode = new TreeSet<>(inStore);
      notOnNode.removeAll(pairsOnNode.keySet());
      wrongBefore.ifPresent(
          before -> {
            notInStore.retainAll(before);
            notOnNode.retainAll(before);
          });
      // The store lists a call before the node is told of it, and until it has said that it let it
      // go: whether one that the node does not have should be there, its record says.
      var questionable =
          new ArrayList<>(notOnNode).subList(0, Math.min(MAX_READS, notOnNode.size()));
      reads = questionable.size();
      if (reads == 0) {
        compared();
      }
      for (CallKey call : List.copyOf(questionable)) {
        calls.read(
            call,
            answer ->
                loop.execute(
                    () -> {
                      if (answer instanceof ReadAnswer.Found<Call>(var current)
                          ? !shouldBeThere(current.record())
                          : answer instanceof ReadAnswer.Absent<Call>) {
                        notOnNode.remove(call);
                      }
                      if (--reads == 0) {
                        compared();
                      }
                    }));
      }
    }

    private boolean shouldBeThere(Call call) {
      MediaPart part = call.media();
      return !call.isTombstone()
          && part.node().equals(Optional.of(node))
          && part.heldRevision() > 0
          && part.released() == MediaPart.Released.NO;
    }

    private void compared() {
      boolean balances = notInStore.isEmpty() && notOnNode.isEmpty() && allocated() == bound;
      if (!balances && attempt < ATTEMPTS) {
        var wrong = new TreeSet<>(notInStore);
        wrong.addAll(notOnNode);
        wrongBefore = Optional.of(wrong);
        begin();
        return;
      }
      done.accept(
          LedgerLine.newBuilder()
              .setMediaNode(node.text())
              .setBalanced(balances)
              .setInStore(inStore.size())
              .setSessions(pairsOnNode.size())
              .setPortPairsAllocated(allocated())
              .setPortPairsBound(bound)
              .addAllNotInStore(named(notInStore))
              .addAllNotOnNode(named(notOnNode))
              .build());
    }

    private long allocated() {
      return pairsOnNode.values().stream().mapToLong(Integer::longValue).sum();
    }

    private static List<String> named(Collection<CallKey> calls) {
      return calls.stream().limit(MAX_NAMED).map(CallKey::text).toList();
    }

    private void fail(String problem) {
      done.accept(LedgerLine.newBuilder().setMediaNode(node.text()).setProblem(problem).build());
    }
  }
}
