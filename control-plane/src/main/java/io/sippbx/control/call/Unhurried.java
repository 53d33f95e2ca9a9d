package io.sippbx.control.call;

import io.sippbx.control.loop.Loop;
import io.sippbx.shared.identity.CallKey;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What has come for the calls of a loop and is in no hurry ({@link Waiting#isUnhurried}): taken up
 * together, on the next beat or as soon as there is enough of it, since many of a kind one after
 * another take far less than as many with other work between. What comes alone, of no other call
 * for as long as a beat, does not wait. Lives on its loop.
 */
final class Unhurried {

  private final Loop loop;
  private final int most;
  private final BiConsumer<CallKey, Waiting> then;
  private final Map<CallKey, Waiting> waiting = new LinkedHashMap<>();
  private @Nullable CallKey last;
  private long lastNs;
  private Loop.@Nullable Timer timer;

  /**
   * @param most so many do not wait any more; 1: none waits
   * @param then is given each, on the loop
   */
  Unhurried(Loop loop, int most, BiConsumer<CallKey, Waiting> then) {
    this.loop = loop;
    this.most = most;
    this.then = then;
  }

  /** One more, of a call of which none waits: it may be taken up within this method. */
  void add(CallKey call, Waiting input) {
    boolean alone = isAlone(call);
    last = call;
    lastNs = loop.nowNs();
    if (alone) {
      then.accept(call, input);
      return;
    }
    waiting.put(call, input);
    if (waiting.size() >= most) {
      takeUp();
    } else if (timer == null) {
      timer = loop.schedule(loop.untilNext(Beat.PERIOD), this::takeUp);
    }
  }

  private boolean isAlone(CallKey call) {
    return last == null || last.equals(call) || loop.nowNs() - lastNs >= Beat.PERIOD.toNanos();
  }

  /** Takes up what waits of a call: something else has come for it. */
  void takeUp(CallKey call) {
    Waiting input = waiting.remove(call);
    if (input != null) {
      then.accept(call, input);
    }
  }

  /** Takes up all that waits. */
  void takeUp() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    var due = new LinkedHashMap<>(waiting);
    waiting.clear();
    due.forEach(then);
  }
}
