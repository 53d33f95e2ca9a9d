package io.sippbx.control.registrar;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.Outcome;
import io.sippbx.control.registrar.binding.Registrar;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.control.store.RegistrationStore.ExpiredAnswer;
import java.time.Duration;
import java.util.List;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Tells of contacts whose time is over and that nobody renews: in the partitions that this node
 * keeps it claims their addresses-of-record, takes the contacts out and tells it, in one commit
 * each. A claim of which nothing comes, as of a node that dies with it, is made again by whoever
 * keeps the partition then; the version of the record lets one tell. Lives on one loop.
 */
public final class ExpiredContacts {

  private final Loop loop;
  private final Settings settings;
  private final RegistrationStore store;
  private final Supplier<List<Partition>> kept;
  private final LongSupplier random;
  private final RegistrarListener listener;
  private final RegistrarService.Events events;
  private final TreeSet<Partition> asked = new TreeSet<>();
  private int inHand;
  private int first;

  /**
   * How often it looks, and how much it does at once.
   *
   * @param every between two looks at a partition
   * @param batch addresses-of-record of one claim at most
   * @param atOnce claimed and not done with, from which on nothing more is asked for until the next
   *     look; a batch of each partition may be on its way then
   */
  public record Settings(Duration every, int batch, int atOnce) {

    /** Told within two seconds, where fewer than 250 run out each second. */
    public static final Settings DEFAULT = new Settings(Duration.ofSeconds(2), 16, 500);

    /** Refuses what would do nothing. */
    public Settings {
      if (!every.isPositive()
          || batch < 1
          || batch > RegistrationStore.MAX_PAGE
          || atOnce < batch) {
        throw new IllegalArgumentException(
            "Expected a positive time, a batch of 1 to "
                + RegistrationStore.MAX_PAGE
                + " and as many or more at once, but got every="
                + every
                + " batch="
                + batch
                + " atOnce="
                + atOnce);
      }
    }
  }

  /**
   * @param store answers on {@code loop}
   * @param kept the partitions that this node keeps, asked on the loop
   * @param random 64 random bits each time, for commit ids
   */
  public ExpiredContacts(
      Loop loop,
      Settings settings,
      RegistrationStore store,
      Supplier<List<Partition>> kept,
      LongSupplier random,
      RegistrarListener listener,
      RegistrarService.Events events) {
    this.loop = loop;
    this.settings = settings;
    this.store = store;
    this.kept = kept;
    this.random = random;
    this.listener = listener;
    this.events = events;
  }

  /** Looks from now on, for as long as partitions are kept. Any thread. */
  public void start() {
    loop.execute(this::look);
  }

  private void look() {
    loop.schedule(settings.every(), this::look);
    List<Partition> all = kept.get();
    // Another is first each time, so that none waits for ever where there is more than may be done.
    for (int i = 0; i < all.size(); i++) {
      claim(all.get((first + i) % all.size()));
    }
    first = (first + 1) % Partition.COUNT;
  }

  private void claim(Partition partition) {
    if (inHand >= settings.atOnce() || !asked.add(partition)) {
      return;
    }
    store.claimExpired(partition, settings.batch(), answer -> claimed(partition, answer));
  }

  private void claimed(Partition partition, ExpiredAnswer answer) {
    asked.remove(partition);
    if (answer instanceof ExpiredAnswer.Due(List<Aor> aors, boolean more)) {
      for (Aor each : aors) {
        inHand++;
        store.read(each, read -> read(each, read));
      }
      if (more && kept.get().contains(partition)) {
        claim(partition);
      }
    }
  }

  private void read(Aor aor, ReadAnswer<Registration> read) {
    switch (read) {
      case ReadAnswer.Found<Registration>(var current) -> {
        Outcome.Accepted expired = Registrar.expire(aor, current.record(), loop.now());
        if (expired.changed()) {
          commit(aor, current.version(), expired);
        } else {
          // Renewed meanwhile, or it is not over yet as this node sees it.
          inHand--;
        }
      }
      case ReadAnswer.Absent<Registration> absent -> inHand--;
      case ReadAnswer.Unavailable<Registration> unavailable -> inHand--;
    }
  }

  private void commit(Aor aor, long version, Outcome.Accepted expired) {
    var id = new CommitId(random.getAsLong());
    var step =
        new RegistrationCommit(
            aor,
            version,
            id,
            expired.next(),
            events.encoder().encode(id, loop.now(), expired.changes()));
    store.commit(
        step,
        answer -> {
          inHand--;
          switch (answer) {
            case CommitAnswer.Applied<Registration> applied -> told(aor, expired);
            case CommitAnswer.AlreadyApplied<Registration> applied -> told(aor, expired);
            // Who came first has told it.
            case CommitAnswer.Conflict<Registration> conflict -> {}
            case CommitAnswer.Gone<Registration> gone -> {}
            // It is claimed again, if it was not done.
            case CommitAnswer.Fenced<Registration> fenced -> {}
            case CommitAnswer.Full<Registration> full -> {}
            case CommitAnswer.Unknown<Registration> unknown -> {}
          }
        });
  }

  private void told(Aor aor, Outcome.Accepted expired) {
    events.sink().committed(aor);
    for (BindingChange change : expired.changes()) {
      listener.changed(change);
    }
  }
}
