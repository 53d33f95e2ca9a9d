package io.sippbx.control.registrar.binding;

import static io.sippbx.control.registrar.binding.Registers.BOB;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.registrar.binding.BindingChange.Kind;
import io.sippbx.control.registrar.binding.Outcome.Refusal;
import io.sippbx.control.sip.auth.NonceUse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("registrar (RFC 3261 10.3 steps 6 to 8)")
class RegistrarTest {

  private static final Instant NOW = Instant.parse("2026-03-04T05:06:07Z");
  private static final String DESK = "<sip:bob@192.0.2.9:5060>";
  private static final String MOBILE = "<sip:bob@192.0.2.10:5060>";

  private final Registrar registrar =
      new Registrar(
          new RegistrarSettings(
              Duration.ofSeconds(60), Duration.ofMinutes(30), Duration.ofHours(2), 3));

  private Registration current = Registration.EMPTY;
  private Instant now = NOW;

  private Outcome decide(Register request) {
    return registrar.decide(current, request, now);
  }

  /** Decides and, if accepted, makes the result the current record. */
  private Outcome.Accepted accept(Register request) {
    var accepted = (Outcome.Accepted) decide(request);
    current = accepted.next();
    return accepted;
  }

  private List<String> contacts() {
    return current.bindings().stream().map(binding -> binding.uri().toString()).toList();
  }

  private static Refusal refusal(Outcome outcome) {
    return ((Outcome.Refused) outcome).why();
  }

  private static List<Kind> kinds(Outcome.Accepted accepted) {
    return accepted.changes().stream().map(BindingChange::kind).toList();
  }

  @Nested
  class Adding {
    @Test
    void bindsSeveralContactsAtOnce() {
      Outcome.Accepted accepted =
          accept(Registers.of("a", 1, 600, DESK + ";q=0.5", MOBILE + ";expires=120"));
      assertThat(accepted.changed()).isTrue();
      assertThat(kinds(accepted)).containsExactly(Kind.REGISTERED, Kind.REGISTERED);
      Binding desk = current.bindings().get(0);
      assertThat(desk.uri()).hasToString("sip:bob@192.0.2.9:5060");
      assertThat(desk.qThousandths()).isEqualTo(500);
      assertThat(desk.remainingSeconds(now)).isEqualTo(600);
      assertThat(desk.userAgent()).isEqualTo("phone/1");
      assertThat(desk.flow()).isEqualTo(Registers.FLOW);
      Binding mobile = current.bindings().get(1);
      assertThat(mobile.qThousandths()).isEqualTo(1000);
      assertThat(mobile.remainingSeconds(now)).isEqualTo(120);
      assertThat(mobile.contact().params().has("expires")).isFalse();
    }

    @Test
    void keepsTheContactsOfOtherDevices() {
      accept(Registers.of("a", 1, 600, DESK));
      accept(Registers.of("b", 1, 600, MOBILE));
      assertThat(contacts()).containsExactly("sip:bob@192.0.2.9:5060", "sip:bob@192.0.2.10:5060");
    }

    @Test
    void keepsInstanceAndRegId() {
      accept(
          Registers.of("a", 1, 600, DESK + ";+sip.instance=\"<urn:uuid:00000000-0000>\";reg-id=2"));
      Binding binding = current.bindings().getFirst();
      assertThat(binding.instance()).contains("urn:uuid:00000000-0000");
      assertThat(binding.regId()).hasValue(2);
    }

    @ParameterizedTest(name = "parameter {0}, header {1} -> {2} s")
    @CsvSource({
      "     , -1    , 1800",
      "     , 300   , 300",
      "90   , 300   , 90",
      "90   , -1    , 90",
      "7200 , -1    , 7200",
      "7201 , -1    , 7200",
      "     , 99999 , 7200",
      "abc  , 300   , 3600",
      "60   , -1    , 60",
    })
    void grantsParameterThenHeaderThenDefaultUpToTheGreatest(
        String parameter, long header, long granted) {
      String contact = parameter == null ? DESK : DESK + ";expires=" + parameter;
      accept(Registers.of("a", 1, header, contact));
      assertThat(current.bindings().getFirst().remainingSeconds(now)).isEqualTo(granted);
    }

    @ParameterizedTest
    @CsvSource({"59,true", "1,true", "60,false", "0,false"})
    void refusesWhatIsTooBrief(long seconds, boolean tooBrief) {
      Outcome outcome = decide(Registers.of("a", 1, seconds, DESK));
      if (tooBrief) {
        assertThat(outcome)
            .isEqualTo(new Outcome.Refused(Refusal.INTERVAL_TOO_BRIEF, OptionalLong.of(60)));
      } else {
        assertThat(outcome).isInstanceOf(Outcome.Accepted.class);
      }
    }

    @Test
    void neverFindsAnHourTooBrief() {
      var strict =
          new Registrar(
              new RegistrarSettings(
                  Duration.ofHours(2), Duration.ofHours(2), Duration.ofHours(3), 3));
      assertThat(strict.decide(current, Registers.of("a", 1, 3600, DESK), now))
          .isInstanceOf(Outcome.Accepted.class);
      assertThat(refusal(strict.decide(current, Registers.of("a", 1, 3599, DESK), now)))
          .isEqualTo(Refusal.INTERVAL_TOO_BRIEF);
    }

    @Test
    void refusesMoreBindingsThanAllowedAsAWhole() {
      accept(Registers.of("a", 1, 600, DESK, MOBILE));
      Outcome outcome =
          decide(Registers.of("b", 1, 600, "<sip:bob@192.0.2.11>", "<sip:bob@192.0.2.12>"));
      assertThat(refusal(outcome)).isEqualTo(Refusal.TOO_MANY_BINDINGS);
      // One in the place of another is no more than before.
      accept(
          Registers.of(
              "c", 1, 600, "<sip:bob@192.0.2.11>", "<sip:bob@192.0.2.12>", DESK + ";expires=0"));
      assertThat(contacts()).hasSize(3);
    }
  }

  @Nested
  class Refreshing {
    @Test
    void comparesContactsAsUris() {
      accept(Registers.of("a", 1, 600, "<sip:bob@Host.EXAMPLE;x=1>"));
      Outcome.Accepted accepted = accept(Registers.of("a", 2, 900, "<sip:b%6Fb@host.example>"));
      assertThat(kinds(accepted)).containsExactly(Kind.REFRESHED);
      assertThat(contacts()).containsExactly("sip:b%6Fb@host.example");
      assertThat(current.bindings().getFirst().remainingSeconds(now)).isEqualTo(900);
    }

    @Test
    void tellsContactsApartThatAreNoEquivalents() {
      accept(Registers.of("a", 1, 600, DESK));
      accept(Registers.of("a", 2, 600, "<sip:bob@192.0.2.9:5060;transport=tcp>"));
      accept(Registers.of("a", 3, 600, "<sip:BOB@192.0.2.9:5060>"));
      assertThat(contacts()).hasSize(3);
    }

    @Test
    void takesAnotherCallIdWithAnyCSeq() {
      accept(Registers.of("a", 100, 600, DESK));
      accept(Registers.of("b", 1, 600, DESK));
      assertThat(current.bindings()).hasSize(1);
      assertThat(current.bindings().getFirst().cSeq()).isEqualTo(1);
    }

    @ParameterizedTest(name = "CSeq {0} after 5")
    @ValueSource(longs = {1, 4, 5})
    void abortsOnAnOldCSeqOfTheSameCallId(long cSeq) {
      accept(Registers.of("a", 5, 600, DESK));
      assertThat(refusal(decide(Registers.of("a", cSeq, 700, DESK))))
          .isEqualTo(Refusal.OUT_OF_ORDER);
    }

    @Test
    void abortsAllWhenOneContactIsOutOfOrder() {
      accept(Registers.of("a", 5, 600, DESK));
      assertThat(refusal(decide(Registers.of("a", 4, 600, MOBILE, DESK))))
          .isEqualTo(Refusal.OUT_OF_ORDER);
      assertThat(contacts()).containsExactly("sip:bob@192.0.2.9:5060");
    }

    @Test
    void takesAContactThatIsNamedTwiceInOneRequest() {
      accept(Registers.of("a", 1, 600, DESK, DESK + ";q=0.1"));
      assertThat(current.bindings()).hasSize(1);
      assertThat(current.bindings().getFirst().qThousandths()).isEqualTo(100);
    }
  }

  @Nested
  @DisplayName("a repeat: same Call-ID, CSeq and content")
  class Repeats {
    @Test
    void changesNothing() {
      accept(Registers.of("a", 1, 600, DESK));
      now = now.plusSeconds(10);
      Outcome.Accepted repeat = accept(Registers.of("a", 1, 600, DESK));
      assertThat(repeat.changed()).isFalse();
      assertThat(repeat.changes()).isEmpty();
      assertThat(current.bindings().getFirst().remainingSeconds(now)).isEqualTo(590);
    }

    @Test
    void ofARemovalIsAcceptedToo() {
      accept(Registers.of("a", 1, 600, DESK, MOBILE));
      accept(Registers.of("a", 2, 0, DESK));
      assertThat(accept(Registers.of("a", 2, 0, DESK)).changed()).isFalse();
      assertThat(contacts()).containsExactly("sip:bob@192.0.2.10:5060");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<sip:bob@192.0.2.9:5060>;q=0.2", "<sip:bob@192.0.2.9:5060;x=1>"})
    void isNoRepeatWithOtherContent(String other) {
      accept(Registers.of("a", 1, 600, DESK));
      assertThat(refusal(decide(Registers.of("a", 1, 600, other)))).isEqualTo(Refusal.OUT_OF_ORDER);
      assertThat(refusal(decide(Registers.of("a", 1, 601, DESK)))).isEqualTo(Refusal.OUT_OF_ORDER);
    }

    @Test
    void isNoRepeatByAnotherPath() {
      Register request = Registers.of("a", 1, 600, DESK);
      accept(request);
      assertThat(refusal(decide(Registers.by(request, "<sip:edge.example;lr>"))))
          .isEqualTo(Refusal.OUT_OF_ORDER);
    }

    @Test
    void isNoRepeatOnceALaterRequestCame() {
      accept(Registers.of("a", 1, 600, DESK));
      accept(Registers.of("a", 2, 0, DESK));
      accept(Registers.of("a", 3, 600, DESK));
      assertThat(refusal(decide(Registers.of("a", 1, 600, DESK)))).isEqualTo(Refusal.OUT_OF_ORDER);
    }

    @Test
    void isRememberedWithinABound() {
      for (int i = 0; i < 3 * Registration.MAX_RECENT; i++) {
        accept(Registers.of("call-" + i, 1, 600, DESK));
        assertThat(current.recent().size()).isLessThanOrEqualTo(Registration.MAX_RECENT);
      }
    }
  }

  @Nested
  class Removing {
    @Test
    void takesOneContactOut() {
      accept(Registers.of("a", 1, 600, DESK, MOBILE));
      Outcome.Accepted accepted = accept(Registers.of("a", 2, -1, DESK + ";expires=0"));
      assertThat(kinds(accepted)).containsExactly(Kind.REMOVED);
      assertThat(contacts()).containsExactly("sip:bob@192.0.2.10:5060");
    }

    @Test
    void addsAndRemovesInOneRequest() {
      accept(Registers.of("a", 1, 600, DESK));
      Outcome.Accepted accepted = accept(Registers.of("a", 2, 600, DESK + ";expires=0", MOBILE));
      assertThat(kinds(accepted)).containsExactly(Kind.REMOVED, Kind.REGISTERED);
      assertThat(contacts()).containsExactly("sip:bob@192.0.2.10:5060");
    }

    @Test
    void doesNothingForAContactThatIsNotThere() {
      assertThat(accept(Registers.of("a", 1, 0, DESK)).changes()).isEmpty();
      assertThat(current.bindings()).isEmpty();
    }

    @Test
    void wildcardTakesAllOut() {
      accept(Registers.of("a", 1, 600, DESK));
      accept(Registers.of("b", 9, 600, MOBILE));
      Outcome.Accepted accepted = accept(Registers.of("a", 2, 0, "*"));
      assertThat(kinds(accepted)).containsExactly(Kind.REMOVED, Kind.REMOVED);
      assertThat(current.bindings()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 1, 3600})
    void wildcardNeedsExpiresZero(long expires) {
      accept(Registers.of("a", 1, 600, DESK));
      assertThat(refusal(decide(Registers.of("a", 2, expires, "*"))))
          .isEqualTo(Refusal.WILDCARD_WITHOUT_ZERO);
    }

    @Test
    void wildcardAbortsWhenOneBindingIsNewer() {
      accept(Registers.of("b", 1, 600, MOBILE));
      accept(Registers.of("a", 5, 600, DESK));
      assertThat(refusal(decide(Registers.of("a", 5, 0, "*")))).isEqualTo(Refusal.OUT_OF_ORDER);
      assertThat(contacts()).hasSize(2);
    }
  }

  @Nested
  class Asking {
    @Test
    void changesNothingAndLeavesNoTrace() {
      accept(Registers.of("a", 1, 600, DESK));
      Registration before = current;
      Outcome.Accepted accepted = accept(Registers.of("q", 1, -1));
      assertThat(accepted.changed()).isFalse();
      assertThat(accepted.next()).isEqualTo(before);
    }

    @Test
    void prunesWhatHasExpired() {
      accept(Registers.of("a", 1, 600, DESK, MOBILE + ";expires=100"));
      now = now.plusSeconds(100);
      Outcome.Accepted accepted = accept(Registers.of("q", 1, -1));
      assertThat(accepted.changed()).isTrue();
      assertThat(kinds(accepted)).containsExactly(Kind.EXPIRED);
      assertThat(accepted.changes().getFirst().binding().uri())
          .hasToString("sip:bob@192.0.2.10:5060");
      assertThat(contacts()).containsExactly("sip:bob@192.0.2.9:5060");
    }
  }

  @Nested
  class Expiring {
    @Test
    void isToTheMoment() {
      accept(Registers.of("a", 1, 600, DESK));
      assertThat(current.live(now.plusSeconds(600).minusMillis(1))).hasSize(1);
      assertThat(current.bindings().getFirst().remainingSeconds(now.plusSeconds(599).plusMillis(1)))
          .isEqualTo(1);
      assertThat(current.live(now.plusSeconds(600))).isEmpty();
      assertThat(current.firstEnd()).contains(now.plusSeconds(600));
      assertThat(current.expiresAt())
          .as("kept for who tells of it")
          .isEqualTo(now.plusSeconds(600).plus(Registration.UNTOLD));
    }

    private Outcome.Accepted expire() {
      Outcome.Accepted expired = Registrar.expire(new Aor("bob", "pbx.example"), current, now);
      current = expired.next();
      return expired;
    }

    @Test
    void isToldWithoutARequest() {
      accept(Registers.of("a", 1, 600, DESK, MOBILE + ";expires=100"));
      long before = current.toldSeq();
      assertThat(expire().changed()).as("nothing has run out").isFalse();
      now = now.plusSeconds(100);
      Outcome.Accepted expired = expire();
      assertThat(kinds(expired)).containsExactly(Kind.EXPIRED);
      assertThat(expired.changes().getFirst().seq()).isEqualTo(before + 1);
      assertThat(current.recent()).as("what it must know of repeats").isNotEmpty();
      assertThat(expire().changed()).as("it is told once").isFalse();
      now = now.plusSeconds(500);
      assertThat(kinds(expire())).containsExactly(Kind.EXPIRED);
      assertThat(contacts()).isEmpty();
      assertThat(current.expiresAt()).as("nothing is left").isBefore(now);
    }

    @Test
    void letsAPhoneBeginAsItDidBefore() {
      Register request = Registers.of("a", 1, 600, DESK);
      accept(request);
      now = now.plusSeconds(600);
      expire();
      assertThat(kinds(accept(request))).containsExactly(Kind.REGISTERED);
    }

    @Test
    void letsAnOldCSeqInAgain() {
      accept(Registers.of("a", 5, 600, DESK));
      now = now.plusSeconds(600);
      assertThat(kinds(accept(Registers.of("a", 4, 600, DESK))))
          .containsExactly(Kind.EXPIRED, Kind.REGISTERED);
    }

    @Test
    void makesRoomBelowTheLimit() {
      accept(Registers.of("a", 1, 60, "<sip:1@h>", "<sip:2@h>", "<sip:3@h>"));
      now = now.plusSeconds(60);
      accept(Registers.of("a", 2, 60, "<sip:4@h>", "<sip:5@h>", "<sip:6@h>"));
      assertThat(contacts()).containsExactly("sip:4@h", "sip:5@h", "sip:6@h");
    }
  }

  @Nested
  @DisplayName("nonce counts (RFC 7616 3.4)")
  class Nonces {
    private NonceUse use(long nonce, long count) {
      return new NonceUse(nonce, NOW, NOW.plusSeconds(300), count);
    }

    private Register desk(long cSeq, NonceUse use) {
      return Registers.with(Registers.of("a", cSeq, 600, DESK), use);
    }

    @Test
    void areTakenDownWithTheBindings() {
      accept(desk(1, use(7, 1)));
      assertThat(current.nonces().highest(7)).isEqualTo(1);
      assertThat(current.expiresAt()).isEqualTo(now.plusSeconds(600).plus(Registration.UNTOLD));
      accept(Registers.with(Registers.of("a", 2, 0, DESK), use(7, 2)));
      assertThat(current.bindings()).isEmpty();
      assertThat(current.expiresAt()).isEqualTo(NOW.plusSeconds(300));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void mustRise(long count) {
      accept(desk(1, use(7, 3)));
      assertThat(decide(desk(2, use(7, count)))).isEqualTo(new Outcome.NonceReused());
    }

    @Test
    void ofAQueryAreTakenDownToo() {
      assertThat(accept(Registers.with(Registers.of("q", 1, -1), use(7, 1))).changed()).isTrue();
      assertThat(decide(Registers.with(Registers.of("q", 2, -1), use(7, 1))))
          .isEqualTo(new Outcome.NonceReused());
    }

    @Test
    void ofTheVeryRequestAgainAreNoReplay() {
      accept(desk(1, use(7, 1)));
      assertThat(accept(desk(1, use(7, 1))).changed()).isFalse();
    }

    @Test
    void ofARepeatThatIsOlderThanTheLastUseAreAReplay() {
      accept(desk(1, use(7, 1)));
      accept(Registers.with(Registers.of("b", 1, 600, MOBILE), use(7, 2)));
      assertThat(decide(desk(1, use(7, 1)))).isEqualTo(new Outcome.NonceReused());
    }

    @Test
    void ofAnotherRequestWithTheSameOrderAreAReplay() {
      accept(desk(1, use(7, 1)));
      assertThat(decide(Registers.with(Registers.of("a", 1, 600, MOBILE), use(7, 1))))
          .isEqualTo(new Outcome.NonceReused());
    }

    @Test
    void areNotTakenDownByARefusal() {
      assertThat(refusal(decide(Registers.with(Registers.of("a", 1, 5, DESK), use(7, 1)))))
          .isEqualTo(Refusal.INTERVAL_TOO_BRIEF);
      accept(desk(2, use(7, 1)));
    }
  }

  /** Random requests against a map of URI to what is bound. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void keepsItsPromisesWhateverComes(long seed) {
    var random = new Random(seed);
    Map<String, Instant> model = new LinkedHashMap<>();
    var cSeqs = new long[3];
    int accepts = 0;
    for (int step = 0; step < 1000; step++) {
      now = now.plusSeconds(random.nextInt(60));
      model.values().removeIf(expiry -> !expiry.isAfter(now));
      int call = random.nextInt(cSeqs.length);
      boolean old = random.nextInt(10) == 0;
      long cSeq = old ? Math.max(1, cSeqs[call] - random.nextInt(3)) : ++cSeqs[call];
      long expires = random.nextInt(4) == 0 ? 0 : 30 + random.nextInt(400);
      var contacts = new ArrayList<String>();
      if (random.nextInt(12) == 0) {
        contacts.add("*");
      } else {
        for (int n = random.nextInt(3); n > 0; n--) {
          contacts.add("<sip:" + random.nextInt(5) + "@h>");
        }
      }
      Register request =
          Registers.of("call-" + call, cSeq, expires, contacts.toArray(String[]::new));
      Registration before = current;
      Outcome outcome = decide(request);
      assertThat(decide(request)).as("seed %d: pure", seed).isEqualTo(outcome);
      if (!(outcome instanceof Outcome.Accepted accepted)) {
        assertThat(current).isEqualTo(before);
        continue;
      }
      accepts++;
      current = accepted.next();
      boolean repeat = before.recent().equals(current.recent()) && !contacts.isEmpty();
      if (!repeat) {
        for (String contact : contacts) {
          String uri = contact.replaceAll("[<>]", "");
          if (contact.equals("*")) {
            model.clear();
          } else if (expires == 0) {
            model.remove(uri);
          } else {
            model.put(uri, now.plusSeconds(expires));
          }
        }
      }
      var bound = new LinkedHashMap<String, Instant>();
      current.bindings().forEach(b -> bound.put(b.uri().toString(), b.expiresAt()));
      assertThat(bound).as("seed %d step %d", seed, step).isEqualTo(model);
      assertThat(current.bindings().size()).isLessThanOrEqualTo(3);
      assertThat(current.live(now)).isEqualTo(current.bindings());
      // The same again changes nothing, whatever it was.
      assertThat(((Outcome.Accepted) decide(request)).changed()).as("seed %d", seed).isFalse();
      assertThat(accepted.changes()).allMatch(event -> event.aor().equals(BOB));
    }
    assertThat(accepts).isGreaterThan(300);
  }
}
