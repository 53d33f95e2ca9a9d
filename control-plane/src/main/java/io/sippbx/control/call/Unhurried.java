package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What has come for the calls of a loop and is in no hurry ({@link Waiting#isUnhurried}): taken up
 * on the beat, since many of a kind one after another take far less than as many with other work
 * between. What comes alone, of no other call for as long as a beat, does not wait. Holds as many
 * as a beat awaits, and what comes in the same turn of the loop. Lives on its loop.
 */
final class Unhurried {

  private final Loop loop;
  private final Beat beat;
  private final BiConsumer<CallKey, Waiting> then;

  /** Of each call what is to be done on the beat. */
  private final Map<CallKey, Runnable> waiting = new LinkedHashMap<>();

  private @Nullable CallKey last;
  private long lastNs;

  /**
   * @param then is given each, on the loop
   */
  Unhurried(Loop loop, Beat beat, BiConsumer<CallKey, Waiting> then) {
    this.loop = loop;
    this.beat = beat;
    this.then = then;
  }

  /** One more, after what waits of its call; where it is alone it is taken up at once. */
  void add(CallKey call, Waiting input) {
    takeUp(call);
    boolean alone = isAlone(call);
    last = call;
    lastNs = loop.nowNs();
    if (alone) {
      then.accept(call, input);
      return;
    }
    Runnable due =
        () -> {
          waiting.remove(call);
          then.accept(call, input);
        };
    waiting.put(call, due);
    beat.await(due);
  }

  private boolean isAlone(CallKey call) {
    return last == null || last.equals(call) || loop.nowNs() - lastNs >= Beat.PERIOD.toNanos();
  }

  /** Takes up what waits of a call: something else has come for it. */
  void takeUp(CallKey call) {
    Runnable due = waiting.get(call);
    if (due != null) {
      beat.stop(due);
      due.run();
    }
  }

  /** Takes up all that waits. */
  void takeUp() {
    List.copyOf(waiting.keySet()).forEach(this::takeUp);
  }
}
