package io.sippbx.benchmarks.survival;

import io.sippbx.benchmarks.phone.PhoneLoop;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;

/** Calls that are held in their phases over one death. One thread but the loop's. */
public final class Load implements AutoCloseable {

  private static final Duration BETWEEN_CALLS = Duration.ofMillis(15);
  // Nodes that have just started are slow, and what they refuse then says nothing of a death.
  private static final int BEGUN_AT_ONCE = 8;
  private static final Duration HELD_WITHIN = Duration.ofSeconds(30);

  // An INVITE that is not answered, a 200 that is not acknowledged and the like end by themselves
  // 32 s after they began (64*T1): none may be older than that when it goes on.
  private static final Duration BEGUN_WITHIN = Duration.ofSeconds(12);
  private static final Duration HELD_AFTERWARDS = Duration.ofSeconds(8);

  /** Calls of one load. */
  static final int MOST = 2_000;

  private final Fleet fleet;
  private final PhoneLoop loop;
  private final Random random;
  private final List<ScriptedCall> calls = new ArrayList<>();
  private final List<ScriptedCall> lostBefore = new ArrayList<>();
  private int numbered;
  private long firstPassingNs;

  /** How the names of a call's users begin. */
  static String user(int index) {
    return "u" + index;
  }

  /** Opens the phones' loop. */
  public Load(Fleet fleet, long seed) {
    this.fleet = fleet;
    this.loop = PhoneLoop.start();
    this.random = new Random(seed);
  }

  /**
   * Begins calls, one after another, and waits until each is held in its phase. Those that do not
   * get there are parted from the others: the victim has nothing to do with them. Where the machine
   * is too slow for all, there are fewer.
   */
  public void begin(List<Phase> phases, boolean overTcp, int each) throws IOException {
    if (calls.size() + phases.size() * each > MOST) {
      throw new IOException("expected " + MOST + " calls at most");
    }
    var begun = new ArrayList<ScriptedCall>();
    for (int i = 0; i < each; i++) {
      for (Phase phase : phases) {
        if (isTooLate(phase)) {
          continue;
        }
        int index = numbered++;
        ScriptedCall call =
            loop.ask(
                () -> {
                  var made =
                      new ScriptedCall(
                          loop,
                          phase,
                          overTcp,
                          fleet.phones(),
                          fleet.edge(),
                          user(index),
                          index / phases.size(),
                          new Random(random.nextLong()));
                  made.start();
                  return made;
                });
        begun.add(call);
        Waiting.pass(BETWEEN_CALLS);
        Waiting.tell(
            HELD_WITHIN, () -> settingUp(begun) < BEGUN_AT_ONCE || isTooLate(Phase.RINGING));
      }
    }
    Waiting.tell(
        phases.equals(List.of(Phase.UP)) ? HELD_WITHIN : HELD_AFTERWARDS,
        () -> settingUp(begun) == 0);
    for (ScriptedCall call : begun) {
      boolean held = loop.ask(() -> call.state() == ScriptedCall.State.HELD);
      if (held) {
        calls.add(call);
      } else {
        loop.ask(
            () -> {
              call.giveUp();
              call.close();
              return 0;
            });
        lostBefore.add(call);
      }
    }
  }

  /** Whether a call of this phase would have to wait for too long with those before it. */
  private boolean isTooLate(Phase phase) {
    if (phase == Phase.UP) {
      return false;
    }
    if (firstPassingNs == 0) {
      firstPassingNs = System.nanoTime();
    }
    return System.nanoTime() - firstPassingNs > BEGUN_WITHIN.toNanos();
  }

  private long settingUp(List<ScriptedCall> begun) {
    return loop.ask(
        () -> begun.stream().filter(call -> call.state() == ScriptedCall.State.SETTING_UP).count());
  }

  /** The control node that most calls which are wanted belong to, by their last branch. */
  public int busiest(Predicate<Phase> wanted) {
    var counts = new LinkedHashMap<Integer, Integer>();
    for (ScriptedCall call : calls) {
      if (wanted.test(call.phase())) {
        int node = loop.ask(() -> call.lastBranch().map(fleet::controlOf).orElse(0));
        counts.merge(node, 1, Integer::sum);
      }
    }
    return counts.entrySet().stream()
        .filter(entry -> entry.getKey() > 0)
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .orElse(1);
  }

  /** How many calls of a phase belong to a control node. */
  public int of(Phase phase, int control) {
    int found = 0;
    for (ScriptedCall call : calls) {
      if (call.phase() == phase
          && loop.ask(() -> call.lastBranch().map(fleet::controlOf).orElse(0)) == control) {
        found++;
      }
    }
    return found;
  }

  /**
   * The victim is about to die.
   *
   * @param control the control node that it is; 0 if it is something else
   */
  public void mark(int control) {
    loop.ask(
        () -> {
          for (ScriptedCall call : calls) {
            call.mark(
                call.lastBranch().map(fleet::controlOf).filter(at -> at == control).isPresent());
          }
          return 0;
        });
  }

  /** Lets the calls of some phases go on, each at a time of its own within {@code spread}. */
  public void release(Predicate<Phase> wanted, Duration spread) {
    firstPassingNs = 0;
    for (ScriptedCall call : calls) {
      if (wanted.test(call.phase())) {
        long afterMs = spread.isZero() ? 0 : random.nextLong(spread.toMillis());
        loop.schedule(Duration.ofMillis(afterMs), call::release);
      }
    }
  }

  /** Waits until the calls of some phases have ended; those that have not are given up. */
  public void awaitEnds(Predicate<Phase> wanted, Duration atMost) throws IOException {
    List<ScriptedCall> awaited = calls.stream().filter(call -> wanted.test(call.phase())).toList();
    Waiting.tell(
        atMost,
        () ->
            loop.ask(
                () -> awaited.stream().allMatch(call -> call.state() == ScriptedCall.State.ENDED)));
    loop.ask(
        () -> {
          awaited.forEach(ScriptedCall::giveUp);
          return 0;
        });
  }

  /** Those that were held. */
  List<ScriptedCall> calls() {
    return List.copyOf(calls);
  }

  /** Those that did not come as far as their phase. */
  List<ScriptedCall> notSetUp() {
    return List.copyOf(lostBefore);
  }

  /** Calls that did not come as far as their phase: why, and what their phones saw. */
  public List<String> notHeld() {
    return loop.ask(() -> lostBefore.stream().map(Load::told).toList());
  }

  /** Calls that were held and not kept, with the reason and what their phones saw. */
  public List<String> losses() {
    return loop.ask(() -> calls.stream().filter(call -> !call.isKept()).map(Load::told).toList());
  }

  private static String told(ScriptedCall call) {
    return call.phase().title()
        + (call.overTcp() ? " over TCP: " : " over UDP: ")
        + call.loss()
        + "\n"
        + String.join("\n", call.journal());
  }

  /** The longest silence of any call whose silence means something, in milliseconds. */
  public long longestSilenceMs() {
    return loop.ask(
        () ->
            calls.stream()
                .filter(call -> call.phase().hasMedia())
                .mapToLong(call -> Duration.ofNanos(call.silenceNs()).toMillis())
                .max()
                .orElse(0));
  }

  /** The callers' Call-IDs. */
  public List<String> callIds() {
    return loop.ask(() -> calls.stream().map(ScriptedCall::callId).toList());
  }

  /** What is wrong with the driver itself. */
  public List<String> failures() {
    return loop.failures();
  }

  @Override
  public void close() {
    loop.ask(
        () -> {
          calls.forEach(ScriptedCall::close);
          return 0;
        });
    loop.close();
  }
}
