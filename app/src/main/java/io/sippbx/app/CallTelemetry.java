package io.sippbx.app;

import io.sippbx.control.call.CallObserver;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.event.Termination;
import io.sippbx.control.registrar.RegisterResult;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.ChallengeReason;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.Pii;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What calls and registrations do, as log lines, metrics and counts. Any thread. */
final class CallTelemetry implements CallObserver, RegistrarListener {

  private static final Logger log = LoggerFactory.getLogger("io.sippbx.calls");
  private static final RateLimitedLog limited =
      RateLimitedLog.of(LoggerFactory.getLogger("io.sippbx.access"));

  private final LongSupplier nanoTime;
  private final Metrics.Counter totalCalls;
  private final Metrics.Histogram setupSeconds;
  private final Metrics.Histogram durationSeconds;
  private final Metrics.Counter internalErrors;
  private final Metrics.Counter mailboxFull;
  private final Metrics.Counter outboxFull;
  private final Metrics.Counter storeRefusals;
  private final Metrics.Counter accepted;
  private final Metrics.Counter challenged;
  private final Metrics.Counter refused;
  private final Metrics.Counter authenticationFailures;
  private final Map<Termination.Result, Metrics.Counter> endedByResult =
      new EnumMap<>(Termination.Result.class);
  private final Map<CallKey, Long> settingUpSinceNs = new ConcurrentHashMap<>();
  private final Set<CallKey> live = new HashSet<>();
  private final LongAdder total = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder answeredEnded = new LongAdder();
  private final LongAdder answeredMillis = new LongAdder();

  CallTelemetry(Metrics metrics, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    totalCalls = metrics.counter(ControlMetric.TOTAL_CALLS);
    setupSeconds = metrics.histogram(ControlMetric.CALL_SETUP_DURATION);
    durationSeconds = metrics.histogram(ControlMetric.CALL_DURATION);
    internalErrors = metrics.counter(ControlMetric.INTERNAL_ERRORS);
    mailboxFull = metrics.counter(ControlMetric.CALLS_REFUSED, "mailbox");
    outboxFull = metrics.counter(ControlMetric.CALLS_REFUSED, "outbox");
    storeRefusals = metrics.counter(ControlMetric.CALLS_REFUSED, "store");
    accepted = metrics.counter(ControlMetric.REGISTRATIONS, "accepted");
    challenged = metrics.counter(ControlMetric.REGISTRATIONS, "challenged");
    refused = metrics.counter(ControlMetric.REGISTRATIONS, "refused");
    authenticationFailures = metrics.counter(ControlMetric.AUTHENTICATION_FAILURES);
    for (Termination.Result result : Termination.Result.values()) {
      endedByResult.put(result, metrics.counter(ControlMetric.CALLS_ENDED, result.text()));
    }
  }

  @Override
  public void happened(CallKey call, CallHappening happening) {
    switch (happening) {
      case CallHappening.Started started -> {
        total.increment();
        totalCalls.increment();
        settingUpSinceNs.put(call, nanoTime.getAsLong());
        synchronized (live) {
          live.add(call);
        }
        log.atInfo()
            .addKeyValue("call", call)
            .addKeyValue("caller", new Pii<>(started.caller().user()))
            .addKeyValue("callee", new Pii<>(started.callee().user()))
            .log("call.started");
      }
      case CallHappening.Ringing ringing -> heardBack(call);
      case CallHappening.Answered answered -> heardBack(call);
      case CallHappening.EarlyMedia early -> heardBack(call);
      case CallHappening.Reanchored moved -> {}
      case CallHappening.Quality quality -> {}
      case CallHappening.Held held -> {}
      case CallHappening.Resumed resumed -> {}
      case CallHappening.Ended ended -> ended(call, ended);
    }
  }

  private void heardBack(CallKey call) {
    Long since = settingUpSinceNs.remove(call);
    if (since != null) {
      setupSeconds.record((nanoTime.getAsLong() - since) / 1e9);
    }
  }

  private void ended(CallKey call, CallHappening.Ended ended) {
    heardBack(call);
    synchronized (live) {
      live.remove(call);
      live.notifyAll();
    }
    Termination termination = ended.termination();
    Objects.requireNonNull(endedByResult.get(termination.result())).increment();
    if (termination.result() == Termination.Result.FAILED) {
      failed.increment();
    }
    Duration talked =
        ended
            .answeredAt()
            .map(answer -> Duration.between(answer, ended.endedAt()))
            .orElse(Duration.ZERO);
    if (ended.answeredAt().isPresent()) {
      durationSeconds.record(talked.toNanos() / 1e9);
      answeredEnded.increment();
      answeredMillis.add(talked.toMillis());
    }
    log.atInfo()
        .addKeyValue("call", call)
        .addKeyValue("result", termination.result().text())
        .addKeyValue("reason", termination.reason().text())
        .addKeyValue("status", termination.sipStatus())
        .addKeyValue("seconds", talked.toMillis() / 1e3)
        .addKeyValue("codec", ended.codec())
        .log("call.ended");
  }

  @Override
  public void defect(CallKey call, String where, RuntimeException defect) {
    internalErrors.increment();
    log.atError()
        .addKeyValue("call", call)
        .addKeyValue("where", where)
        .setCause(defect)
        .log("call.defect");
  }

  @Override
  public void dropped(CallKey call, Drop why) {
    switch (why) {
      case MAILBOX_FULL -> mailboxFull.increment();
      case OUTBOX_FULL -> outboxFull.increment();
      case STORE_UNAVAILABLE, CONTENDED -> storeRefusals.increment();
    }
    limited
        .at(Level.WARN, "call.input-dropped")
        .addKeyValue("call", call)
        .addKeyValue("why", why)
        .log("call.input-dropped");
  }

  @Override
  public void changed(BindingChange change) {
    log.atDebug()
        .addKeyValue("aor", new Pii<>(change.aor().toString()))
        .addKeyValue("change", change.kind())
        .log("registration.changed");
  }

  @Override
  public void answered(RegisterResult result, Flow flow) {
    if (result == RegisterResult.ACCEPTED) {
      accepted.increment();
    } else if (result != RegisterResult.NO_ACCESS) {
      refused.increment();
    }
  }

  @Override
  public void decided(Method method, AccessDecision decision, Flow flow) {
    switch (decision) {
      case AccessDecision.Accepted accepted -> {}
      case AccessDecision.Challenge challenge -> {
        if (method.equals(Method.REGISTER)) {
          challenged.increment();
        }
        if (challenge.reason() == ChallengeReason.WRONG_PASSWORD
            || challenge.reason() == ChallengeReason.UNKNOWN_USER) {
          authenticationFailures.increment();
          limited
              .at(Level.WARN, "access.wrong-credentials")
              .addKeyValue("source", new Pii<>(flow.remote().ip().toString()))
              .addKeyValue("method", method)
              .log("access.wrong-credentials");
        }
      }
      case AccessDecision.Refused refusal -> {
        if (method.equals(Method.REGISTER)) {
          refused.increment();
        }
        limited
            .at(Level.WARN, "access.refused")
            .addKeyValue("source", flow.remote().ip())
            .addKeyValue("method", method)
            .addKeyValue("status", refusal.status())
            .addKeyValue("advice", refusal.advice().orElse(""))
            .log("access.refused");
      }
      case AccessDecision.Unavailable unavailable ->
          limited
              .at(Level.WARN, "access.store-unavailable")
              .addKeyValue("detail", unavailable.detail())
              .log("access.store-unavailable");
    }
  }

  /** Waits until the end of every call has been told; false when {@code atMost} was not enough. */
  boolean awaitAllEnded(Duration atMost) throws InterruptedException {
    long endNs = nanoTime.getAsLong() + atMost.toNanos();
    synchronized (live) {
      while (!live.isEmpty()) {
        long restMs = (endNs - nanoTime.getAsLong()) / 1_000_000;
        if (restMs <= 0) {
          return false;
        }
        live.wait(restMs);
      }
      return true;
    }
  }

  long total() {
    return total.sum();
  }

  long failed() {
    return failed.sum();
  }

  /** Of answered calls that have ended; zero before the first. */
  Duration averageDuration() {
    long count = answeredEnded.sum();
    return count == 0 ? Duration.ZERO : Duration.ofMillis(answeredMillis.sum() / count);
  }
}
