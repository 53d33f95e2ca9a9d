package io.sippbx.app.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.media.port.PortRange;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.sdp.Direction;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Holds what the phones saw, and the CDR, against what should be. Pure. */
final class Inspection {

  // Of each phone: one for its REGISTER; of the caller one for its INVITE too.
  private static final int CALLERS_CHALLENGES = 2;
  private static final int CALLEES_CHALLENGES = 1;

  // A fifth of a second in all. The path to a phone is opened while its 200 is on the way to the
  // other, not before: who talks at once may talk too early.
  private static final int CLIPPED = 10;
  private static final double MOST_OF_IT = 0.9;
  private static final double NEXT_TO_NOTHING = 0.01;
  private static final long SECONDS_OFF = 1;

  private final Checks checks;
  private final PhoneFacts caller;
  private final PhoneFacts callee;

  Inspection(Checks checks, PhoneFacts caller, PhoneFacts callee) {
    this.checks = checks;
    this.caller = caller;
    this.callee = callee;
  }

  /** What the phones saw of the signalling. */
  void signalling(CallFacts facts, PortRange ports) {
    checks.that(
        caller.challenges() == CALLERS_CHALLENGES && callee.challenges() == CALLEES_CHALLENGES,
        "both registrations and the call were challenged and authenticated by digest",
        "");
    List<String> leaks = leaks(facts);
    checks.that(
        leaks.isEmpty(),
        "the callee was told nothing of the caller's addresses and Call-ID",
        String.join(", ", leaks));
    checks.that(
        isRelays(facts.callersMedia(), ports) && isRelays(facts.calleesMedia(), ports),
        "both phones were told to send their media to the relay",
        facts.callersMedia() + " and " + facts.calleesMedia());
    facts.hold().ifPresent(this::hold);
  }

  private List<String> leaks(CallFacts facts) {
    String invite = facts.calleesInvite().toString();
    var leaks = new ArrayList<String>();
    for (String secret :
        List.of(
            facts.callId().value(),
            caller.sip().toString(),
            "m=audio " + caller.rtp().port() + " ")) {
      if (invite.contains(secret)) {
        leaks.add(secret);
      }
    }
    return leaks;
  }

  private boolean isRelays(Endpoint media, PortRange ports) {
    return media.ip().equals(caller.rtp().ip()) && ports.holdsPair(media.port());
  }

  private void hold(CallFacts.Hold hold) {
    checks.that(
        hold.offered() == Direction.SENDONLY
            && hold.answered() == Direction.RECVONLY
            && hold.resumed() == Direction.SENDRECV,
        "the hold went through: sendonly, recvonly, and sendrecv again",
        hold.offered().attribute()
            + ", "
            + hold.answered().attribute()
            + ", "
            + hold.resumed().attribute());
    checks.that(
        hold.heardByHolder() == 0 && hold.heardByHeld() > 0,
        "on hold media flowed one way only",
        hold.heardByHeld()
            + " packets to "
            + callee.name()
            + ", "
            + hold.heardByHolder()
            + " to "
            + caller.name());
  }

  /** What the phones heard of each other. */
  void media() {
    media(caller, callee);
    media(callee, caller);
  }

  private void media(PhoneFacts from, PhoneFacts to) {
    Reception.Reading heard = to.heard();
    String way = from.name() + " -> " + to.name();
    int clipped = to.clippedFrom(from);
    checks.that(
        heard.packets() > 0
            && to.lostFrom(from) == 0
            && clipped >= 0
            && clipped <= CLIPPED
            && heard.duplicates() == 0
            && heard.strange() == 0,
        way + ": no packet lost, none twice, none from elsewhere",
        heard.packets() + " of " + from.sent());
    checks.that(
        heard.share() >= MOST_OF_IT && heard.echo() <= NEXT_TO_NOTHING,
        way + ": the tone that was said is the tone that was heard",
        String.format(Locale.ROOT, "%s, %.1f %% of the sound", from.tone(), 100 * heard.share()));
  }

  /** The CDR. */
  void record(List<String> lines, CallFacts facts) throws DemoFailure {
    checks.same("one CDR is on disk", 1, lines.size());
    if (lines.isEmpty()) {
      return;
    }
    JsonNode cdr = Operations.parse("The CDR", lines.getFirst());
    var who = new LinkedHashMap<String, String>();
    who.put("call_id", facts.callId().value());
    who.put("caller", caller.name());
    who.put("callee", callee.name());
    who.put("caller_ip", caller.sip().ip().toString());
    who.put("callee_ip", callee.sip().ip().toString());
    holds("the CDR tells who called whom", cdr, who);
    var how = new LinkedHashMap<String, String>();
    how.put("status", "completed");
    how.put("termination_reason", "normal");
    how.put("codec", "pcmu");
    holds("the CDR tells how the call went", cdr, how);
    packets(cdr);
    times(cdr, facts);
  }

  private void packets(JsonNode cdr) {
    checks.that(
        isAllOf(caller.sent(), cdr.path("caller_packets").asInt(-1))
            && isAllOf(callee.sent(), cdr.path("callee_packets").asInt(-1))
            && cdr.path("caller_lost").asInt(-1) == 0
            && cdr.path("callee_lost").asInt(-1) == 0,
        "the CDR counts the packets that were sent, and none lost",
        cdr.path("caller_packets").asText() + " and " + cdr.path("callee_packets").asText());
  }

  /** All, or all but what was said before the path was open. */
  private static boolean isAllOf(int sent, int counted) {
    return counted > 0 && counted <= sent && sent - counted <= CLIPPED;
  }

  private void holds(String claim, JsonNode cdr, Map<String, String> expected) {
    var seen = new LinkedHashMap<String, String>();
    for (String field : expected.keySet()) {
      seen.put(field, cdr.path(field).asText());
    }
    checks.same(claim, expected, seen);
  }

  /** The record has whole seconds, so one more or less is right. */
  private void times(JsonNode cdr, CallFacts facts) {
    long seconds =
        Duration.between(
                facts.began().truncatedTo(ChronoUnit.SECONDS),
                facts.ended().truncatedTo(ChronoUnit.SECONDS))
            .toSeconds();
    long told = cdr.path("duration").asLong(-1);
    checks.that(
        Math.abs(told - seconds) <= SECONDS_OFF
            && isNear(cdr, "start_time", facts.began())
            && isNear(cdr, "end_time", facts.ended()),
        "the CDR tells when, and how long",
        told
            + " s from "
            + cdr.path("start_time").asText()
            + " to "
            + cdr.path("end_time").asText());
  }

  private static boolean isNear(JsonNode cdr, String field, Instant at) {
    try {
      Instant told = Instant.parse(cdr.path(field).asText());
      return Duration.between(told, at).abs().toSeconds() <= SECONDS_OFF;
    } catch (DateTimeParseException e) {
      return false;
    }
  }
}
