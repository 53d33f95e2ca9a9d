package io.sippbx.control.routing;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.ContactLookup;
import io.sippbx.control.registrar.ContactLookup.LookupAnswer;
import io.sippbx.control.registrar.ContactLookup.RegisteredContact;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Sends requests within a dialog to a registered phone by the way that it has <em>now</em>: where
 * the connection that the dialog knows is gone, with its node or without, the phone's registration
 * is asked for another, again and again for a bounded time, so that a call survives its phone's
 * reconnection. UDP tells nobody that a phone is somewhere else: what has to be sent there again is
 * looked up, and goes where it is then. All else goes out as it is.
 *
 * <p>Whose registration it is says the destination ({@link Device}), else the To of the request.
 * There the phone is known by its instance, if it has told one. Else it is found by the
 * Request-URI, the contact that the phone gave in the dialog: a binding of that contact; else of
 * the same user and host at another port; else the only one that there is. Another device than that
 * is never tried. Where the connection of that binding is the one that is lost, the phone has come
 * back when one of the same user and host is newer: it listens nowhere, and tells a new port.
 *
 * <p>What waits is not sent once the node's lease has ended in between: the call may be another
 * node's by then. Lives on one loop.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc5626#section-5.3">RFC 5626 5.3</a>
 */
public final class CurrentFlows implements SipTransport {

  /** Between two looks at a registration. */
  static final Duration AGAIN = Duration.ofMillis(500);

  /** Requests that wait at once; further ones fail as they would without this. */
  static final int MAX_WAITING = 2_000;

  /** Requests over UDP whose repeats are told from them; of more the oldest are forgotten. */
  static final int MAX_FOLLOWED = 4_000;

  /** For as long as one is repeated. */
  private static final Duration FOLLOWED_FOR = Duration.ofSeconds(33);

  private final Loop loop;
  private final SipTransport inner;
  private final ContactLookup contacts;
  private final OwnDomains domains;
  private final Duration wait;
  private final LongSupplier term;
  private int waiting;

  /** What was sent over UDP to registered phones, the oldest first. */
  private final Map<Branch, Followed> followed = new LinkedHashMap<>();

  /**
   * @param contacts answers on {@code loop}
   * @param wait for how long a phone is given time to return; zero: not at all
   * @param term of the node's lease; another one, or none, than at the first attempt: nothing more
   *     is sent
   */
  public CurrentFlows(
      Loop loop,
      SipTransport inner,
      ContactLookup contacts,
      OwnDomains domains,
      Duration wait,
      LongSupplier term) {
    this.loop = loop;
    this.inner = inner;
    this.contacts = contacts;
    this.domains = domains;
    this.wait = wait;
    this.term = term;
  }

  @Override
  public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
    Optional<Branch> branch = message.topVia().branch();
    if (!(message instanceof SipRequest request)
        || request.toTag().isEmpty()
        || branch.isEmpty()
        || wait.isZero()) {
      inner.send(message, to, onFailure);
    } else if (to.protocol().isReliable()) {
      aor(request, to)
          .ifPresentOrElse(
              aor ->
                  inner.send(
                      request,
                      to,
                      new Attempts(request, aor, to, onFailure, term.getAsLong(), loop.nowNs())
                          ::lost),
              () -> inner.send(request, to, onFailure));
    } else if (device(request, to).isPresent()) {
      follow(branch.get(), request, to, onFailure);
    } else {
      inner.send(request, to, onFailure);
    }
  }

  /** The phone that is sent this; none where it goes by a proxy. */
  private static Optional<Device> device(SipRequest request, Destination to) {
    return request.routes().isEmpty() ? to.device() : Optional.empty();
  }

  private Optional<Aor> aor(SipRequest request, Destination to) {
    return device(request, to)
        .flatMap(device -> domains.aorOf(SipUri.of(device.user(), device.host())))
        .or(() -> domains.aorOf(request.to().uri()));
  }

  /** A request over UDP, of which nobody hears whether it came to where the phone was. */
  private static final class Followed {
    private final long sinceNs;
    private final long sentInTerm;
    private Optional<Destination> now = Optional.empty();
    private boolean asked;

    Followed(long sinceNs, long sentInTerm) {
      this.sinceNs = sinceNs;
      this.sentInTerm = sentInTerm;
    }
  }

  private void follow(
      Branch branch, SipRequest request, Destination to, Consumer<SendFailure> onFailure) {
    Followed before = followed.get(branch);
    if (before == null) {
      forgetOld();
      followed.put(branch, new Followed(loop.nowNs(), term.getAsLong()));
      inner.send(request, to, onFailure);
      return;
    }
    inner.send(request, before.now.orElse(to), onFailure);
    Optional<Aor> aor = aor(request, to);
    if (before.now.isPresent() || before.asked || aor.isEmpty()) {
      return;
    }
    before.asked = true;
    contacts.lookup(
        aor.get(),
        answer ->
            loop.execute(
                () -> {
                  before.asked = false;
                  if (term.getAsLong() != before.sentInTerm) {
                    return;
                  }
                  before.now =
                      current(answer, request, to, new LinkedHashSet<>())
                          .filter(each -> !each.remote().equals(to.remote()));
                  before.now.ifPresent(each -> inner.send(request, each, onFailure));
                }));
  }

  private void forgetOld() {
    long oldestNs = loop.nowNs() - FOLLOWED_FOR.toNanos();
    Iterator<Followed> oldest = followed.values().iterator();
    while (oldest.hasNext()
        && (oldest.next().sinceNs - oldestNs <= 0 || followed.size() >= MAX_FOLLOWED)) {
      oldest.remove();
    }
  }

  /** Where the phone is that was at {@code known}, by the same transport. */
  private static Optional<Destination> current(
      LookupAnswer answer, SipRequest request, Destination known, Set<Flow> lost) {
    List<RegisteredContact> registered =
        answer instanceof LookupAnswer.Found found ? found.contacts() : List.of();
    return of(registered, request.uri(), device(request, known), lost)
        .map(contact -> Destination.over(contact.binding().flow()).of(known.device()))
        .filter(each -> each.protocol() == known.protocol());
  }

  private static Optional<RegisteredContact> of(
      List<RegisteredContact> registered, Uri target, Optional<Device> device, Set<Flow> lost) {
    Comparator<RegisteredContact> latest =
        Comparator.comparing(contact -> contact.binding().updatedAt());
    Optional<String> instance = device.flatMap(Device::instance);
    if (instance.isPresent()) {
      return registered.stream()
          .filter(each -> each.binding().instance().equals(instance))
          .max(latest)
          .filter(each -> !lost.contains(each.binding().flow()));
    }
    Optional<RegisteredContact> same =
        registered.stream().filter(each -> each.uri().equivalent(target)).max(latest);
    if (same.filter(each -> !lost.contains(each.binding().flow())).isPresent()) {
      return same;
    }
    return registered.stream()
        .filter(each -> isSameHost(each.uri(), target))
        .filter(each -> same.map(old -> latest.compare(each, old) > 0).orElse(true))
        .max(latest)
        .or(() -> registered.size() == 1 ? Optional.of(registered.getFirst()) : Optional.empty())
        .filter(each -> !lost.contains(each.binding().flow()));
  }

  private static boolean isSameHost(SipUri contact, Uri target) {
    return target instanceof SipUri sip
        && sip.host().equalsIgnoreCase(contact.host())
        && sip.userText().equals(contact.userText());
  }

  @Override
  public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    inner.send(message, flow, onFailure);
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
    return inner.advertised(protocol, v6);
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, IpAddress peer) {
    return inner.advertised(protocol, peer);
  }

  /** Requests that wait for a phone to return. */
  public int waiting() {
    return waiting;
  }

  /** One request on its way to a phone that is not where it was. */
  private final class Attempts {
    private final SipRequest request;
    private final Aor aor;
    private final Consumer<SendFailure> onFailure;
    private final long sentInTerm;
    private final long deadlineNs;
    private final Destination first;

    /** By which it was sent in vain. */
    private final Set<Flow> lost = new LinkedHashSet<>();

    private boolean isWaiting;

    Attempts(
        SipRequest request,
        Aor aor,
        Destination first,
        Consumer<SendFailure> onFailure,
        long sentInTerm,
        long sentNs) {
      this.request = request;
      this.aor = aor;
      this.first = first;
      first.flow().ifPresent(lost::add);
      this.onFailure = onFailure;
      this.sentInTerm = sentInTerm;
      this.deadlineNs = sentNs + wait.toNanos();
    }

    void lost(SendFailure failure) {
      boolean isGone =
          switch (failure.reason()) {
            case CONNECTION_LOST, UNREACHABLE, CONNECT_TIMEOUT -> true;
            case NO_LISTENER, QUEUE_FULL, CONNECTION_LIMIT, TOO_LARGE, CLOSED -> false;
          };
      if (!isGone || !isWaiting && waiting >= MAX_WAITING) {
        end();
        onFailure.accept(failure);
        return;
      }
      if (!isWaiting) {
        isWaiting = true;
        waiting++;
      }
      contacts.lookup(aor, answer -> loop.execute(() -> found(answer, failure)));
    }

    private void found(LookupAnswer answer, SendFailure failure) {
      if (term.getAsLong() != sentInTerm) {
        end();
        return;
      }
      Optional<Destination> now = current(answer, request, first, lost);
      if (now.isPresent()) {
        now.get().flow().ifPresent(lost::add);
        end();
        inner.send(request, now.get(), this::lost);
      } else if (loop.nowNs() - deadlineNs >= 0) {
        end();
        onFailure.accept(failure);
      } else {
        loop.schedule(
            AGAIN, () -> contacts.lookup(aor, again -> loop.execute(() -> found(again, failure))));
      }
    }

    private void end() {
      if (isWaiting) {
        isWaiting = false;
        waiting--;
      }
    }
  }
}
