package io.sippbx.event.webhook;

import io.sippbx.event.webhook.DeadLetterSource.Range;
import io.sippbx.event.webhook.DeliveryWitness.Told;
import io.sippbx.event.webhook.DeliveryWitness.What;
import io.sippbx.shared.config.EventsConfig;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers dead letters after all: each that was not delivered since, those of a call in their
 * order. One that is not taken again stays what it is.
 */
public final class Redelivery {

  /** Letters of one run; the next run goes on with the others. */
  public static final int MAX_LETTERS = 100_000;

  private static final Logger log = LoggerFactory.getLogger(Redelivery.class);
  private static final Duration KEPT_WITHIN = Duration.ofSeconds(30);

  private final DeadLetterSource source;
  private final DeadLetters notes;
  private final InstantSource clock;

  /**
   * Of these letters.
   *
   * @param notes where it is noted which were delivered
   */
  public Redelivery(DeadLetterSource source, DeadLetters notes, InstantSource clock) {
    this.source = source;
    this.notes = notes;
    this.clock = clock;
  }

  /**
   * Which letters.
   *
   * @param receiver its name; empty: of all
   * @param call its key; empty: of all
   */
  public record Choice(Range range, Optional<String> receiver, Optional<String> call) {
    private boolean holds(DeadLetter letter) {
      return range.holds(letter.time())
          && receiver.filter(name -> !name.equals(letter.receiver())).isEmpty()
          && call.filter(key -> !key.equals(letter.webhook().subject())).isEmpty();
    }
  }

  /**
   * What came of it.
   *
   * @param unknown letters of receivers that are not configured any more
   * @param isAll whether there are no more of the choice
   */
  public record Done(long delivered, long failed, long unknown, boolean isAll) {}

  /** Those of the choice that were not delivered yet, in the order in which they are to go. */
  public List<DeadLetter> choose(Choice choice) throws IOException, InterruptedException {
    Map<String, DeadLetter> open = new LinkedHashMap<>();
    var settled = new TreeSet<String>();
    source.read(
        choice.range(),
        letter -> {
          String key = letter.receiver() + " " + letter.webhook().id();
          if (letter.isSettled()) {
            settled.add(key);
            open.remove(key);
          } else if (choice.holds(letter) && open.size() <= MAX_LETTERS) {
            // One that was given up again after it was delivered is open again.
            settled.remove(key);
            open.putIfAbsent(key, letter);
          }
        });
    return open.entrySet().stream()
        .filter(each -> !settled.contains(each.getKey()))
        .map(Map.Entry::getValue)
        .sorted(
            Comparator.comparing((DeadLetter letter) -> letter.webhook().subject())
                .thenComparingInt(letter -> letter.webhook().seq()))
        .toList();
  }

  /** Delivers them, and returns when each was taken or has failed for good. */
  public Done run(
      Choice choice,
      List<EventsConfig.Receiver> receivers,
      EventsConfig.Delivery delivery,
      Function<EventsConfig.Receiver, WebhookSender> senders,
      DeliveryWitness witness)
      throws IOException, InterruptedException {
    List<DeadLetter> all = choose(choice);
    boolean isAll = all.size() <= MAX_LETTERS;
    List<DeadLetter> letters = isAll ? all : all.subList(0, MAX_LETTERS);
    var counts = new Counts();
    long known = 0;
    for (EventsConfig.Receiver receiver : receivers) {
      List<DeadLetter> mine =
          letters.stream().filter(letter -> letter.receiver().equals(receiver.name())).toList();
      known += mine.size();
      deliver(receiver, mine, delivery, senders.apply(receiver), witness, counts);
    }
    return new Done(counts.delivered.sum(), counts.failed.sum(), letters.size() - known, isAll);
  }

  private void deliver(
      EventsConfig.Receiver receiver,
      List<DeadLetter> letters,
      EventsConfig.Delivery delivery,
      WebhookSender sender,
      DeliveryWitness witness,
      Counts counts)
      throws InterruptedException {
    var byId = new LinkedHashMap<String, DeadLetter>();
    letters.forEach(letter -> byId.put(letter.webhook().id(), letter));
    var room = new Semaphore(delivery.queueLength());
    DeliveryWitness noting =
        told -> {
          witness.told(told);
          settle(told, byId, counts);
        };
    try (WebhookReceiver worker =
        WebhookReceiver.start(
            receiver, delivery, WebhookReceiver.Source.DEAD_LETTERS, sender, new Stays(), noting)) {
      for (DeadLetter letter : letters) {
        room.acquire();
        if (!worker.take(letter.webhook(), room::release)) {
          throw new IllegalStateException("Expected room for " + letter.webhook().id());
        }
      }
      room.acquire(delivery.queueLength());
    }
    if (!counts.notes.tryAcquire(
        Math.toIntExact(counts.noted.sum()), KEPT_WITHIN.toSeconds(), TimeUnit.SECONDS)) {
      log.atWarn().addKeyValue("receiver", receiver.name()).log("webhook.redelivery-not-noted");
    }
    counts.noted.reset();
  }

  private void settle(Told told, Map<String, DeadLetter> letters, Counts counts) {
    DeadLetter letter = letters.get(told.webhook().id());
    if (letter == null) {
      return;
    }
    if (told.what() == What.DELIVERED) {
      counts.delivered.increment();
      counts.noted.increment();
      // One that could not be noted goes again the next time: receivers know it by its id.
      notes.keep(letter.settled(clock.instant()), isKept -> counts.notes.release());
      notes.flush();
    } else if (told.what() == What.DEAD_LETTER) {
      counts.failed.increment();
    }
  }

  private static final class Counts {
    private final LongAdder delivered = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder noted = new LongAdder();
    private final Semaphore notes = new Semaphore(0);
  }

  /** A letter that is not taken again is where it was. */
  private static final class Stays implements DeadLetters {
    @Override
    public void keep(DeadLetter letter, Consumer<Boolean> answer) {
      answer.accept(true);
    }

    @Override
    public void flush() {}
  }
}
