package io.sippbx.control.store;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The limit of addresses-of-record in a store that several nodes share and that cannot refuse by
 * itself what is too many: they lie in many partitions. So they are counted when a new one comes
 * and the last count is a second old, and this node's own new ones are added to that: the limit may
 * be passed by what other nodes take within that second, and by no more.
 *
 * <p>For any thread; one for all loops of a node.
 */
public final class RegistrationLimit {

  /** How long a count is good for. */
  static final Duration GOOD_FOR = Duration.ofSeconds(1);

  private final long max;
  private final RateLimitedLog limited;
  private long counted;
  private long takenSince;
  private boolean known;
  private boolean counting;
  private long countedAtNs;

  /**
   * @param max addresses-of-record with bindings; a commit that would make more is answered Unknown
   * @param loop whose time is gone by
   */
  public RegistrationLimit(int max, Loop loop) {
    if (max < 1) {
      throw new IllegalArgumentException("Expected 1 address-of-record or more, but got " + max);
    }
    this.max = max;
    this.limited =
        new RateLimitedLog(
            LoggerFactory.getLogger(RegistrationLimit.class),
            1,
            Duration.ofMinutes(1),
            loop::nowNs);
  }

  /** The same records within the limit; {@code store} answers on {@code loop}, as this does. */
  public RegistrationStore on(Loop loop, RegistrationStore store) {
    return new Limited(loop, store);
  }

  private enum Room {
    TAKEN,
    NONE,
    /** Whether there is any is to be counted first, by who was told so. */
    TO_BE_COUNTED
  }

  private synchronized Room take(long nowNs, boolean mayCount) {
    boolean isOld = !known || nowNs - countedAtNs >= GOOD_FOR.toNanos();
    if (isOld && mayCount && !counting) {
      counting = true;
      return Room.TO_BE_COUNTED;
    }
    if (known && counted + takenSince >= max) {
      return Room.NONE;
    }
    takenSince++;
    return Room.TAKEN;
  }

  private synchronized void counted(RegistrationStore.CountAnswer answer, long nowNs) {
    counting = false;
    if (answer instanceof RegistrationStore.CountAnswer.Counts counts) {
      counted = counts.registered();
      takenSince = 0;
      known = true;
      countedAtNs = nowNs;
    }
    // Without an answer what was known stands; the commit itself will hardly be answered either.
  }

  /** The store of one loop. */
  private final class Limited implements RegistrationStore {
    private final Loop loop;
    private final RegistrationStore store;

    Limited(Loop loop, RegistrationStore store) {
      this.loop = loop;
      this.store = store;
    }

    @Override
    public void read(Aor aor, Consumer<ReadAnswer<Registration>> answer) {
      store.read(aor, answer);
    }

    @Override
    public void commit(RegistrationCommit commit, Consumer<CommitAnswer<Registration>> answer) {
      if (commit.expectedVersion() != 0 || commit.record().bindings().isEmpty()) {
        store.commit(commit, answer);
        return;
      }
      make(commit, true, answer);
    }

    private void make(
        RegistrationCommit commit, boolean mayCount, Consumer<CommitAnswer<Registration>> answer) {
      switch (take(loop.nowNs(), mayCount)) {
        case TAKEN -> store.commit(commit, answer);
        case NONE -> {
          limited
              .at(Level.WARN, "registrar.full")
              .addKeyValue("key", "sip.registrar.max_addresses")
              .addKeyValue("limit", max)
              .log("registrar.full");
          loop.execute(
              () ->
                  answer.accept(
                      new CommitAnswer.Unknown<>(
                          "the limit of " + max + " addresses-of-record is reached")));
        }
        case TO_BE_COUNTED ->
            store.count(
                said -> {
                  counted(said, loop.nowNs());
                  make(commit, false, answer);
                });
      }
    }

    @Override
    public void list(Optional<Aor> after, int limit, Consumer<ListAnswer> answer) {
      store.list(after, limit, answer);
    }

    @Override
    public void claimExpired(Partition partition, int limit, Consumer<ExpiredAnswer> answer) {
      store.claimExpired(partition, limit, answer);
    }

    @Override
    public void count(Consumer<CountAnswer> answer) {
      store.count(answer);
    }
  }
}
