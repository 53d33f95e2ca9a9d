package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever events pass through is killed while calls go on, and then records, rows and webhooks are
 * counted.
 */
class EventKillsIT {

  /** -Dsippbx.calls=3000 for many: so many more kills, too. */
  private static final int CALLS = Integer.getInteger("sippbx.calls", 90);

  /** Kinds of kills. */
  private static final int KINDS = 5;

  /** Each of them comes once in so many calls; on a slow machine less often. */
  private static final int CALLS_FOR_ALL_KILLS = 300;

  private static final int CALLS_A_SECOND = 6;
  private static final Duration WITHIN = Duration.ofMinutes(3);

  /** Longer than they take, with whom a kill leaves without an answer. */
  private static final int PHONES_WITHIN_SECONDS = 200 + 2 * CALLS / CALLS_A_SECOND;

  /** A response to an INVITE that says that the call is known. */
  private static final Pattern HEARD =
      Pattern.compile(
          "^[^\\n]*\\s+SIP/2\\.0 (?:1\\d\\d|200) .*?^Call-ID: ([^\\r\\n]+).*?^CSeq: 1 INVITE",
          Pattern.DOTALL | Pattern.MULTILINE);

  private static final Pattern CALL_ID =
      Pattern.compile("^Call-ID: ([^\\r\\n]+)", Pattern.MULTILINE);

  @TempDir private Path folder = Path.of("");

  /** The calls of which a caller has heard: they were committed. */
  private static Set<String> heardOf(Sipp caller) {
    var calls = new TreeSet<String>();
    for (String block : caller.messages().split("message received", -1)) {
      Matcher heard = HEARD.matcher(block);
      if (heard.find()) {
        calls.add(heard.group(1).strip());
      }
    }
    return calls;
  }

  private static Set<String> made(Sipp caller) {
    var calls = new TreeSet<String>();
    Matcher made = CALL_ID.matcher(caller.messages());
    while (made.find()) {
      calls.add(made.group(1).strip());
    }
    return calls;
  }

  private static List<Runnable> kills(EventSite site, Random random) {
    var kills = new ArrayList<Runnable>();
    for (int i = 0; i < Math.max(1, CALLS / CALLS_FOR_ALL_KILLS); i++) {
      kills.addAll(
          List.of(
              site::killEdge,
              site::killEvents,
              site::killBroker,
              site::killBrokerAndEvents,
              site::killDatabase));
    }
    Collections.shuffle(kills, random);
    return kills;
  }

  @Test
  void everyCallHasOneRecordOneRowAndOneWebhookOfItsEndWhateverIsKilledMeanwhile()
      throws IOException {
    long seed = Long.getLong("sippbx.seed", System.nanoTime());
    var random = new Random(seed);
    try (var site = new EventSite(folder, Math.min(2_000, 4 * CALLS + 400));
        Sipp callee =
            Sipp.scenario("callee")
                .calls(CALLS * 2)
                .within(PHONES_WITHIN_SECONDS + 60)
                .option("-d", "300")
                .listen(folder)) {
      Phones.register(site.edge(), folder, Transport.UDP, "bob", "127.0.0.1", callee);
      List<Runnable> kills = kills(site, random);
      try (Sipp caller =
          Sipp.scenario("lasting-caller")
              .calls(CALLS)
              .within(PHONES_WITHIN_SECONDS)
              .option("-r", "" + CALLS_A_SECOND, "-d", "1000")
              .start(folder, site.edge().sip(Transport.UDP))) {
        int share = CALLS / (kills.size() + 1);
        int killed = 0;
        while (killed < kills.size() && (killed < KINDS || caller.begun() < CALLS)) {
          int at = share * killed + 1 + random.nextInt(share);
          Await.until("call " + at + " began", WITHIN, caller::begun, n -> n >= at);
          kills.get(killed).run();
          killed++;
        }
        site.awaitAllUp();
        caller.child().awaitExit(Duration.ofSeconds(PHONES_WITHIN_SECONDS));
        count(site, caller, "seed " + seed + ", " + killed + " kills");
      }
    }
  }

  private static void count(EventSite site, Sipp caller, String run) {
    Set<String> heardOf = heardOf(caller);
    Set<String> made = made(caller);
    String what = run + ", of " + made.size() + " calls " + heardOf.size() + " heard";
    assertThat(heardOf).as(what).hasSizeGreaterThan(CALLS / 2);
    Await.until(what + ": each has a record", WITHIN, () -> missing(site, heardOf), List::isEmpty);
    Await.until(what + ": no call is left", WITHIN, site.edge()::activeCalls, n -> n == 0);
    Await.until(
        what + ": nothing is left in the outbox",
        WITHIN,
        site.edge()::metrics,
        metrics -> metrics.contains("sip_outbox_events 0.0\n"));
    Await.until(
        what + ": records and rows are of the same calls",
        WITHIN,
        () -> new TreeSet<>(site.rows()).equals(new TreeSet<>(site.records())),
        same -> same);
    Await.until(
        what + ": records and webhooks of ends are of the same calls",
        WITHIN,
        () -> site.receiver().ends().keySet().equals(new TreeSet<>(site.records())),
        same -> same,
        () -> site.receiver().account());
    assertThat(site.records()).as(what).doesNotHaveDuplicates();
    assertThat(site.callIds()).as(what).doesNotHaveDuplicates().isSubsetOf(made);
    assertThat(site.receiver().ends().values())
        .as(what)
        .allSatisfy(ids -> assertThat(ids).as("ids of a call's end").hasSize(1));
    assertThat(site.receiver().outOfOrder()).as(what).isEmpty();
    System.out.printf(
        "%s: %d records, %d rows, %d webhooks of ends (%s)%n",
        what,
        site.records().size(),
        site.rows().size(),
        site.receiver().ends().size(),
        site.receiver().account());
  }

  private static List<String> missing(EventSite site, Set<String> calls) {
    var left = new ArrayList<>(calls);
    left.removeAll(site.callIds());
    return left;
  }
}
