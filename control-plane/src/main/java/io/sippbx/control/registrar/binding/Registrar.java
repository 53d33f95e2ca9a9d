package io.sippbx.control.registrar.binding;

import io.sippbx.control.registrar.binding.BindingChange.Kind;
import io.sippbx.control.registrar.binding.Outcome.Refusal;
import io.sippbx.control.registrar.binding.Register.Contacts;
import io.sippbx.control.registrar.binding.Registration.Recent;
import io.sippbx.control.sip.auth.NonceCounts;
import io.sippbx.control.sip.message.NameAddr;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a REGISTER does to the record of its address-of-record: all of it or nothing. Pure and
 * immutable.
 *
 * <p>Who may register what has been settled before; here remain the steps that need the record.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-10.3">RFC 3261 10.3 steps 6 to 8</a>
 */
public final class Registrar {

  /** RFC 3261 10.3 step 7: an interval of an hour or more is never too brief. */
  private static final long NEVER_TOO_BRIEF_SECONDS = 3600;

  private final RegistrarSettings settings;

  /** With these settings. */
  public Registrar(RegistrarSettings settings) {
    this.settings = settings;
  }

  /** The decision. Equal arguments give equal results. */
  public Outcome decide(Registration current, Register request, Instant now) {
    var recent = new Recent(request.callId(), request.cSeq(), request.fingerprint());
    boolean repeat = current.recent().contains(recent);
    NonceCounts nonces = current.nonces().prune(now);
    if (request.nonce().isPresent()) {
      var use = request.nonce().get();
      Optional<NonceCounts> used = current.nonces().use(use, now);
      // The very request again, which another node has carried out, is no replay to be refused.
      if (used.isEmpty() && !(repeat && nonces.highest(use.nonceId()) == use.count())) {
        return new Outcome.NonceReused();
      }
      nonces = used.orElse(nonces);
    }
    var change = new Change(request.aor(), current, now);
    if (!repeat) {
      Optional<Outcome.Refused> refused = apply(change, request);
      if (refused.isPresent()) {
        return refused.get();
      }
    }
    // A query without credentials leaves no trace, or anybody could fill the store by asking.
    boolean leavesTrace =
        request.nonce().isPresent() || !(request.contacts() instanceof Contacts.None);
    var next =
        new Registration(
            change.bindings,
            nonces,
            leavesTrace ? with(current.recent(), recent) : current.recent(),
            change.toldSeq,
            current.carried());
    return new Outcome.Accepted(next, !next.equals(current), change.changes);
  }

  /**
   * Takes out what has run out, without a request. A record without contacts remembers no requests:
   * a phone that starts anew may begin as it did before.
   */
  public static Outcome.Accepted expire(Aor aor, Registration current, Instant now) {
    var change = new Change(aor, current, now);
    if (change.changes.isEmpty()) {
      return new Outcome.Accepted(current, false, List.of());
    }
    var next =
        new Registration(
            change.bindings,
            current.nonces().prune(now),
            change.bindings.isEmpty() ? List.of() : current.recent(),
            change.toldSeq,
            current.carried());
    return new Outcome.Accepted(next, true, change.changes);
  }

  private Optional<Outcome.Refused> apply(Change change, Register request) {
    return switch (request.contacts()) {
      case Contacts.None none -> Optional.empty();
      case Contacts.Wildcard wildcard -> removeAll(change, request);
      case Contacts.Some(List<NameAddr> contacts) -> update(change, request, contacts);
    };
  }

  /** Step 6. */
  private static Optional<Outcome.Refused> removeAll(Change change, Register request) {
    if (!request.expires().equals(OptionalLong.of(0))) {
      return refused(Refusal.WILDCARD_WITHOUT_ZERO);
    }
    for (Binding binding : List.copyOf(change.bindings)) {
      if (isOutOfOrder(binding, request)) {
        return refused(Refusal.OUT_OF_ORDER);
      }
      change.remove(binding);
    }
    return Optional.empty();
  }

  /** Step 7. */
  private Optional<Outcome.Refused> update(
      Change change, Register request, List<NameAddr> contacts) {
    // The order is held against what stood before, so that one request may name a contact twice.
    List<Binding> before = List.copyOf(change.bindings);
    for (NameAddr contact : contacts) {
      OptionalLong own = contact.expires();
      long seconds =
          own.isPresent()
              ? own.getAsLong()
              : request.expires().orElse(settings.defaultExpires().toSeconds());
      if (seconds > 0
          && seconds < NEVER_TOO_BRIEF_SECONDS
          && seconds < settings.minExpires().toSeconds()) {
        return Optional.of(
            new Outcome.Refused(
                Refusal.INTERVAL_TOO_BRIEF, OptionalLong.of(settings.minExpires().toSeconds())));
      }
      Optional<Binding> known = find(before, contact);
      if (known.isPresent() && isOutOfOrder(known.get(), request)) {
        return refused(Refusal.OUT_OF_ORDER);
      }
      if (seconds == 0) {
        find(change.bindings, contact).ifPresent(change::remove);
      } else {
        long granted = Math.min(seconds, settings.maxExpires().toSeconds());
        change.put(request, contact, change.now.plus(Duration.ofSeconds(granted)));
      }
    }
    return change.bindings.size() > settings.maxBindings()
        ? refused(Refusal.TOO_MANY_BINDINGS)
        : Optional.empty();
  }

  private static boolean isOutOfOrder(Binding binding, Register request) {
    return binding.callId().equals(request.callId()) && request.cSeq() <= binding.cSeq();
  }

  private static Optional<Binding> find(List<Binding> bindings, NameAddr contact) {
    return bindings.stream().filter(b -> b.uri().equivalent(contact.uri())).findFirst();
  }

  private static Optional<Outcome.Refused> refused(Refusal why) {
    return Optional.of(new Outcome.Refused(why, OptionalLong.empty()));
  }

  /** With this request as the last one of its Call-ID. */
  private static List<Recent> with(List<Recent> known, Recent latest) {
    if (known.contains(latest)) {
      return known;
    }
    var next = new ArrayList<Recent>(known);
    next.removeIf(each -> each.callId().equals(latest.callId()));
    next.add(latest);
    while (next.size() > Registration.MAX_RECENT) {
      next.removeFirst();
    }
    return next;
  }

  /** A record under change: the live bindings, and what happened to them. */
  private static final class Change {
    private final Aor aor;
    private final Instant now;
    private final List<Binding> bindings = new ArrayList<>();
    private final List<BindingChange> changes = new ArrayList<>();
    private long toldSeq;

    Change(Aor aor, Registration current, Instant now) {
      this.aor = aor;
      this.now = now;
      this.toldSeq = current.toldSeq();
      for (Binding binding : current.bindings()) {
        if (binding.isLive(now)) {
          bindings.add(binding);
        } else {
          tell(Kind.EXPIRED, binding);
        }
      }
    }

    void put(Register request, NameAddr contact, Instant expiresAt) {
      var binding =
          new Binding(
              contact.withParams(contact.params().without("expires")),
              request.callId(),
              request.cSeq(),
              request.path(),
              request.flow(),
              Reach.of(contact.uri(), request.path(), request.vias(), request.flow()),
              request.userAgent(),
              now,
              expiresAt);
      Optional<Binding> old = find(bindings, contact);
      if (old.isPresent()) {
        bindings.set(bindings.indexOf(old.get()), binding);
        tell(isReachedAs(old.get(), binding) ? Kind.REFRESHED : Kind.MOVED, binding);
      } else {
        bindings.add(binding);
        tell(Kind.REGISTERED, binding);
      }
    }

    void remove(Binding binding) {
      bindings.remove(binding);
      tell(Kind.REMOVED, binding);
    }

    private static boolean isReachedAs(Binding before, Binding now) {
      return before.instance().equals(now.instance())
          && before.regId().equals(now.regId())
          && before.qThousandths() == now.qThousandths()
          && before.path().equals(now.path())
          && before.flow().protocol() == now.flow().protocol()
          && before.received().equals(now.received());
    }

    private void tell(Kind kind, Binding binding) {
      changes.add(new BindingChange(kind, aor, binding, seq(kind)));
    }

    /** Greater than any before it, though nothing is remembered of a record that is gone. */
    private long seq(Kind kind) {
      if (kind == Kind.REFRESHED) {
        return 0;
      }
      toldSeq = toldSeq == 0 ? Math.max(1, now.toEpochMilli()) : toldSeq + 1;
      return toldSeq;
    }
  }
}
