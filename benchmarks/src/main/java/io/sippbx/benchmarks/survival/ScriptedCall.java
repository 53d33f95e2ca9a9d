package io.sippbx.benchmarks.survival;

import io.sippbx.benchmarks.phone.Phone;
import io.sippbx.benchmarks.phone.PhoneLoop;
import io.sippbx.benchmarks.phone.SipText;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A call of two phones that stops in a phase, until it is told to go on, and then must come to its
 * proper end: answered where it rang, both hearing each other, and hung up by one with the other
 * told; or cancelled, with the callee's 487 acknowledged. Loop only, but for what says otherwise.
 */
final class ScriptedCall implements Phone.Owner {

  private static final Duration ANSWERS_AFTER = Duration.ofMillis(50);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration HEARS_WITHIN = Duration.ofSeconds(10);
  private static final int PACKETS_THAT_COUNT = 10;
  private static final int RETRIES = 5;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
  private static final String NOT_NOW = "SIP/2.0 503 ";
  private static final int JOURNAL_TIME = 9;

  /** Where the script is. */
  enum State {
    SETTING_UP,
    HELD,
    RELEASED,
    ENDED
  }

  private final PhoneLoop loop;
  private final Phase phase;
  private final boolean overTcp;
  private final Random random;
  private final Phone caller;
  private final Phone callee;
  private final Phone active;
  private final Phone passive;

  private State state = State.SETTING_UP;
  private String loss = "";
  private boolean called;
  private int setUps;
  private @Nullable SipText invited;
  private @Nullable SipText finalAnswer;
  private @Nullable SipText heldReinvite;
  private @Nullable SipText heldBye;
  private boolean trying;
  private boolean rung;
  private boolean callerAnswered;
  private boolean calleeAcknowledged;
  private boolean isUp;
  private boolean cancelled;
  private boolean cancelHeard;
  private boolean cancelAnswered;
  private boolean callerEnded;
  private boolean activeDone;
  private boolean passiveDone;
  private boolean hangingUp;
  private boolean reinviteAnswered;
  private boolean reinviteAcknowledged;
  private boolean reinviteCancelled;
  private int reinvites;

  private boolean polling;
  private boolean verifying;
  private boolean marked;
  private long markNs;
  private boolean silenceFrozen;
  private long silenceNs;
  private long missing;
  private long usualSilenceNs;
  private int breaksAtMark;
  private boolean openAtMark;
  private boolean atVictim;

  /**
   * Opens the sockets of both phones.
   *
   * @param ip where the phones are
   * @param edge the shared address of the edge
   * @param name unlike every other call's
   */
  ScriptedCall(
      PhoneLoop loop,
      Phase phase,
      boolean overTcp,
      String ip,
      InetSocketAddress edge,
      String name,
      int index,
      Random random)
      throws IOException {
    this.loop = loop;
    this.phase = phase;
    this.overTcp = overTcp;
    this.random = random;
    caller = new Phone(loop, overTcp, ip, edge, name + "-a", random, this);
    try {
      callee = new Phone(loop, overTcp, ip, edge, name + "-b", random, this);
    } catch (IOException e) {
      caller.close();
      throw e;
    }
    boolean callerActs = index % 2 == 0;
    active = callerActs ? caller : callee;
    passive = callerActs ? callee : caller;
  }

  // --- set-up ---------------------------------------------------------------------------------

  /** Registers both phones and calls. */
  void start() {
    register(caller, "caller", () -> register(callee, "callee", this::call));
  }

  private void register(Phone phone, String name, Runnable done) {
    phone.register(
        done,
        why -> {
          if (!why.startsWith(NOT_NOW) || !setUpAgain(() -> register(phone, name, done))) {
            lose(name + " not registered: " + why);
          }
        });
  }

  /**
   * Asks again as a phone does that is told to come later: nothing has died yet, and a machine that
   * is busy may keep Redis waiting.
   */
  private boolean setUpAgain(Runnable again) {
    if (state != State.SETTING_UP || setUps >= RETRIES) {
      return false;
    }
    setUps++;
    loop.schedule(RETRY_AFTER, again);
    return true;
  }

  private void call() {
    if (called || state == State.ENDED) {
      return;
    }
    called = true;
    caller.invite(
        callee.user(),
        new Phone.Answers() {
          @Override
          public void answered(SipText response) {
            callerHeard(response);
          }

          @Override
          public void timedOut() {
            lose("INVITE not answered");
          }
        });
  }

  private void callerHeard(SipText response) {
    int status = response.status();
    if (status == 100) {
      trying = true;
    } else if (status < 200) {
      rung = true;
      if (phase == Phase.CANCEL) {
        cancel();
      }
    } else if (status < 300) {
      finalAnswer = response;
      callerAnswered = true;
      if (phase != Phase.NOT_ACKNOWLEDGED || state == State.RELEASED || state == State.ENDED) {
        caller.ack(response);
      }
      maybeUp();
    } else if (phase == Phase.CANCEL && status == 487) {
      callerEnded = true;
      maybeCancelled();
    } else if (status == 503 && invited == null && setUpAgain(this::call)) {
      called = false;
      trying = false;
    } else {
      lose("INVITE answered " + response.start().substring("SIP/2.0 ".length()));
    }
    maybeHeld();
  }

  private void cancel() {
    if (cancelled) {
      return;
    }
    cancelled = true;
    caller.cancel(
        new Phone.Answers() {
          @Override
          public void answered(SipText response) {
            if (response.status() / 100 == 2) {
              cancelAnswered = true;
              maybeHeld();
            } else if (response.status() >= 300) {
              lose("CANCEL answered " + response.status());
            }
          }

          @Override
          public void timedOut() {
            lose("CANCEL not answered");
          }
        });
  }

  @Override
  public void requested(Phone phone, SipText request) {
    switch (request.method()) {
      case "INVITE" -> {
        if (phone == callee && invited == null) {
          calleeInvited(request);
        } else {
          reinvited(phone, request);
        }
      }
      case "ACK" -> acknowledged(phone, request);
      case "CANCEL" -> cancelled(phone, request);
      case "BYE" -> hungUp(phone, request);
      default -> phone.respond(request, 405, "Method Not Allowed", false);
    }
    maybeHeld();
  }

  private void calleeInvited(SipText request) {
    invited = request;
    if (phase != Phase.INVITE_SENT || state == State.RELEASED) {
      ring();
    }
  }

  private void ring() {
    SipText request = invited;
    if (request == null) {
      return;
    }
    boolean early = phase == Phase.EARLY_MEDIA;
    callee.respond(request, early ? 183 : 180, early ? "Session Progress" : "Ringing", early);
    boolean holds = phase == Phase.RINGING || early || phase == Phase.CANCEL;
    if (!holds || state == State.RELEASED) {
      loop.schedule(ANSWERS_AFTER, this::answer);
    }
  }

  private void answer() {
    SipText request = invited;
    if (request != null && state != State.ENDED) {
      callee.respond(request, 200, "OK", true);
    }
  }

  private void acknowledged(Phone phone, SipText ack) {
    SipText first = invited;
    if (phone == callee && first != null && ack.cseq() == first.cseq()) {
      if (phase == Phase.CANCEL) {
        passiveDone = true;
        maybeCancelled();
      } else {
        calleeAcknowledged = true;
        maybeUp();
      }
    } else if (phone == passive && phase == Phase.REINVITE) {
      reinviteAcknowledged = true;
      maybeReinvited();
    }
  }

  private void maybeUp() {
    if (!callerAnswered || !calleeAcknowledged || isUp) {
      return;
    }
    isUp = true;
    if (phase == Phase.REINVITE) {
      reinvite();
    } else if (phase == Phase.BYE) {
      loop.schedule(ANSWERS_AFTER, this::hangUp);
    } else if (state == State.RELEASED) {
      verify();
    }
  }

  // --- re-INVITE ------------------------------------------------------------------------------

  private void reinvite() {
    if (state == State.ENDED) {
      return;
    }
    reinvites++;
    active.reinvite(
        new Phone.Answers() {
          @Override
          public void answered(SipText response) {
            int status = response.status();
            if (status / 100 == 2) {
              active.ack(response);
              reinviteAnswered = true;
              maybeReinvited();
            } else if (status == 491 || status == 500) {
              again(status);
            } else if (status >= 300) {
              lose("re-INVITE answered " + response.start().substring("SIP/2.0 ".length()));
            }
          }

          @Override
          public void timedOut() {
            lose("re-INVITE not answered");
          }
        });
  }

  /** RFC 3261 14.1: who made the Call-ID waits 2.1 to 4 s, the other up to 2 s. */
  private void again(int status) {
    if (reinvites > RETRIES) {
      lose("re-INVITE answered " + status + " each time");
      return;
    }
    int ms =
        active == caller || status == 500 ? 2_100 + random.nextInt(1_900) : random.nextInt(2_000);
    loop.schedule(Duration.ofMillis(ms), this::reinvite);
  }

  private void reinvited(Phone phone, SipText request) {
    boolean holds =
        phase == Phase.REINVITE
            && phone == passive
            && reinvites > 0
            && !reinviteCancelled
            && !reinviteAcknowledged
            && (state == State.SETTING_UP || state == State.HELD);
    if (holds) {
      heldReinvite = request;
      phone.respond(request, 100, "Trying", false);
    } else {
      phone.respond(request, 200, "OK", true);
    }
  }

  private void maybeReinvited() {
    if (state == State.RELEASED && reinviteAnswered && reinviteAcknowledged && !hangingUp) {
      verify();
    }
  }

  // --- the end --------------------------------------------------------------------------------

  private void hangUp() {
    if (hangingUp || state == State.ENDED) {
      return;
    }
    hangingUp = true;
    freezeSilence();
    active.bye(
        new Phone.Answers() {
          @Override
          public void answered(SipText response) {
            if (response.status() / 100 == 2) {
              activeDone = true;
              maybeEnded();
            } else if (response.status() >= 300) {
              lose("BYE answered " + response.start().substring("SIP/2.0 ".length()));
            }
          }

          @Override
          public void timedOut() {
            lose("BYE not answered");
          }
        });
  }

  private void hungUp(Phone phone, SipText request) {
    if (phone != passive || !hangingUp) {
      phone.respond(request, 200, "OK", false);
      lose("hung up by the edge");
    } else if (phase == Phase.BYE && state != State.RELEASED) {
      heldBye = request;
    } else {
      phone.respond(request, 200, "OK", false);
      passiveDone = true;
      maybeEnded();
    }
  }

  private void maybeEnded() {
    if (activeDone && passiveDone && state == State.RELEASED) {
      state = State.ENDED;
    }
  }

  private void cancelled(Phone phone, SipText request) {
    phone.respond(request, 200, "OK", false);
    SipText reinvite = heldReinvite;
    if (reinvite != null) {
      // The edge has something to say first; who asked is told to ask again.
      heldReinvite = null;
      reinviteCancelled = true;
      phone.respond(reinvite, 487, "Request Terminated", false);
      return;
    }
    cancelHeard = true;
    if (phase != Phase.CANCEL) {
      lose("cancelled by the edge");
      terminateInvite();
    } else if (state == State.RELEASED) {
      terminateInvite();
    }
  }

  private void terminateInvite() {
    SipText request = invited;
    if (request != null) {
      callee.respond(request, 487, "Request Terminated", false);
    }
  }

  private void maybeCancelled() {
    if (state == State.RELEASED && callerEnded && passiveDone) {
      state = State.ENDED;
    }
  }

  // --- hold and release -----------------------------------------------------------------------

  private void maybeHeld() {
    if (state != State.SETTING_UP) {
      return;
    }
    boolean reached =
        switch (phase) {
          case INVITE_SENT -> trying && invited != null;
          case RINGING -> rung;
          case EARLY_MEDIA -> rung && bothHear(PACKETS_THAT_COUNT / 2);
          case NOT_ACKNOWLEDGED -> callerAnswered && bothHear(PACKETS_THAT_COUNT / 2);
          case UP -> isUp && bothHear(PACKETS_THAT_COUNT / 2);
          case REINVITE -> heldReinvite != null && bothHear(PACKETS_THAT_COUNT / 2);
          case CANCEL -> cancelAnswered && cancelHeard;
          case BYE -> heldBye != null;
        };
    if (reached) {
      state = State.HELD;
      caller.mark();
      callee.mark();
    } else if (phase.hasMedia() && !polling) {
      polling = true;
      loop.schedule(
          POLL,
          () -> {
            polling = false;
            maybeHeld();
          });
    }
  }

  private boolean bothHear(int packets) {
    return caller.packetsHeard() >= packets && callee.packetsHeard() >= packets;
  }

  /**
   * The victim dies now: what is measured begins here. Only the first counts.
   *
   * @param inHand whether the victim had the call in hand
   */
  void mark(boolean inHand) {
    if (marked) {
      return;
    }
    marked = true;
    markNs = System.nanoTime();
    atVictim = inHand;
    usualSilenceNs = Math.max(caller.longestGapNs(), callee.longestGapNs());
    breaksAtMark = breaks();
    openAtMark = caller.hasOpenTransaction() || callee.hasOpenTransaction();
    caller.mark();
    callee.mark();
  }

  /** Goes on from where it was held. */
  void release() {
    if (state != State.HELD) {
      return;
    }
    state = State.RELEASED;
    switch (phase) {
      case INVITE_SENT -> ring();
      case RINGING, EARLY_MEDIA -> answer();
      case NOT_ACKNOWLEDGED -> {
        SipText answered = finalAnswer;
        if (answered != null) {
          caller.ack(answered);
        }
        if (isUp) {
          // The callee was acknowledged while the caller was held.
          verify();
        }
      }
      case UP -> verify();
      case REINVITE -> {
        SipText request = heldReinvite;
        if (request != null) {
          passive.respond(request, 200, "OK", true);
        }
        maybeReinvited();
      }
      case CANCEL -> {
        terminateInvite();
        maybeCancelled();
      }
      case BYE -> {
        SipText request = heldBye;
        if (request != null) {
          passive.respond(request, 200, "OK", false);
          passiveDone = true;
          maybeEnded();
        }
      }
    }
  }

  /** Both must hear each other again before one hangs up. */
  private void verify() {
    if (!verifying) {
      verifying = true;
      verify(caller.packetsHeard(), callee.packetsHeard(), System.nanoTime());
    }
  }

  private void verify(long callerBefore, long calleeBefore, long sinceNs) {
    if (state != State.RELEASED) {
      return;
    }
    boolean callerHears = caller.packetsHeard() - callerBefore >= PACKETS_THAT_COUNT;
    boolean calleeHears = callee.packetsHeard() - calleeBefore >= PACKETS_THAT_COUNT;
    if (callerHears && calleeHears) {
      hangUp();
    } else if (System.nanoTime() - sinceNs > HEARS_WITHIN.toNanos()) {
      lose(
          "no media at "
              + (callerHears ? "the callee" : calleeHears ? "the caller" : "both phones")
              + " for "
              + HEARS_WITHIN.toSeconds()
              + " s");
      // The phones hang up as people would.
      hangUpSilently();
    } else {
      loop.schedule(POLL, () -> verify(callerBefore, calleeBefore, sinceNs));
    }
  }

  private void hangUpSilently() {
    active.bye(
        new Phone.Answers() {
          @Override
          public void answered(SipText response) {}

          @Override
          public void timedOut() {}
        });
  }

  private void freezeSilence() {
    if (marked && !silenceFrozen) {
      silenceFrozen = true;
      silenceNs = Math.max(caller.longestGapNs(), callee.longestGapNs());
      missing = caller.packetsMissing() + callee.packetsMissing();
    }
  }

  private void lose(String why) {
    if (state != State.ENDED) {
      freezeSilence();
      loss = why;
      state = State.ENDED;
    }
  }

  /** Ends what has not come to its end. */
  void giveUp() {
    lose(
        switch (state) {
          case SETTING_UP -> "not set up";
          case HELD -> "never released";
          case RELEASED, ENDED -> "came to no end: " + standing();
        });
  }

  private String standing() {
    return switch (phase) {
      case CANCEL ->
          "caller "
              + (callerEnded ? "ended" : "waits")
              + ", 487 "
              + (passiveDone ? "acknowledged" : "not acknowledged");
      case INVITE_SENT, RINGING, EARLY_MEDIA, NOT_ACKNOWLEDGED, UP, REINVITE, BYE ->
          !isUp
              ? (callerAnswered
                  ? "the callee's 200 was not acknowledged"
                  : "the caller waits for the 200")
              : hangingUp
                  ? (activeDone ? "the other was told no BYE" : "BYE not answered")
                  : "re-INVITE not finished";
    };
  }

  void close() {
    caller.close();
    callee.close();
  }

  // --- what is asked --------------------------------------------------------------------------

  State state() {
    return state;
  }

  Phase phase() {
    return phase;
  }

  boolean overTcp() {
    return overTcp;
  }

  /** Whether it came to its proper end. */
  boolean isKept() {
    return state == State.ENDED && loss.isEmpty();
  }

  /** Why not. */
  String loss() {
    return loss;
  }

  String callId() {
    return caller.callId();
  }

  /** Whether the victim had it in hand. */
  boolean wasAtVictim() {
    return atVictim;
  }

  /** The last branch of the edge so far. */
  Optional<String> lastBranch() {
    List<String> ofCallee = callee.branches();
    return ofCallee.isEmpty() ? Optional.empty() : Optional.of(ofCallee.getLast());
  }

  /** Whether something was open on a connection that died with the victim. */
  boolean wasOpenOnDeadConnection() {
    return openAtMark && breaks() > breaksAtMark;
  }

  private int breaks() {
    return caller.breaks() + callee.breaks();
  }

  /** The longest silence of either phone from the victim's death to the end of the talk. */
  long silenceNs() {
    return silenceNs;
  }

  /** The longest silence before that. */
  long usualSilenceNs() {
    return usualSilenceNs;
  }

  long packetsMissing() {
    return missing;
  }

  int foreign() {
    return caller.foreign() + callee.foreign();
  }

  /**
   * From the victim's death, or from what a phone said first after it, to what the phones heard
   * first; nothing if they heard nothing.
   */
  Optional<Duration> firstAnswer() {
    long heardNs = earliest(caller.firstHeardNs(), callee.firstHeardNs());
    long sentNs = earliest(caller.firstSentNs(), callee.firstSentNs());
    if (!marked || heardNs == 0) {
      return Optional.empty();
    }
    boolean askedFirst = sentNs != 0 && sentNs - heardNs < 0;
    return Optional.of(Duration.ofNanos(heardNs - (askedFirst ? sentNs : markNs)));
  }

  private static long earliest(long a, long b) {
    if (a == 0 || b == 0) {
      return a + b;
    }
    return a - b < 0 ? a : b;
  }

  /** What both phones sent and heard. */
  List<String> journal() {
    var lines = new ArrayList<>(caller.journal());
    lines.addAll(callee.journal());
    // By their time; those of one phone stay in their order.
    lines.sort(Comparator.comparing(line -> line.substring(0, JOURNAL_TIME)));
    return lines;
  }
}
