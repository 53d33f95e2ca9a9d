package io.sippbx.control.routing;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.ContactLookup;
import io.sippbx.control.registrar.ContactLookup.LookupAnswer;
import io.sippbx.control.registrar.ContactLookup.RegisteredContact;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Sends requests within a dialog to a registered phone by the connection that it has <em>now</em>:
 * where the one that the dialog knows is gone, with its node or without, the phone's registration
 * is asked for another, again and again for a bounded time, so that a call survives its phone's
 * reconnection. All else goes out as it is.
 *
 * <p>The phone is found by the To of the request, whose address-of-record it is, and by its
 * Request-URI, the contact that the phone gave in the dialog: a binding of that contact; else of
 * the same user and host at another port; else the only one that there is. Another device than that
 * is never tried.
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

  private final Loop loop;
  private final SipTransport inner;
  private final ContactLookup contacts;
  private final OwnDomains domains;
  private final Duration wait;
  private final LongSupplier term;
  private int waiting;

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
    Optional<Attempts> attempts = attempts(message, to, onFailure);
    inner.send(
        message, to, attempts.<Consumer<SendFailure>>map(each -> each::lost).orElse(onFailure));
  }

  private Optional<Attempts> attempts(
      SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
    if (!(message instanceof SipRequest request)
        || request.toTag().isEmpty()
        || !to.protocol().isReliable()
        || wait.isZero()) {
      return Optional.empty();
    }
    return domains
        .aorOf(request.to().uri())
        .map(aor -> new Attempts(request, aor, to, onFailure, term.getAsLong(), loop.nowNs()));
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
    private Destination tried;
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
      this.tried = first;
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
      List<RegisteredContact> registered =
          answer instanceof LookupAnswer.Found found ? found.contacts() : List.of();
      Optional<Destination> now =
          of(registered)
              .map(contact -> Destination.over(contact.binding().flow()))
              .filter(
                  each -> each.protocol() == tried.protocol() && !each.flow().equals(tried.flow()));
      if (now.isPresent()) {
        tried = now.get();
        end();
        inner.send(request, tried, this::lost);
      } else if (loop.nowNs() - deadlineNs >= 0) {
        end();
        onFailure.accept(failure);
      } else {
        loop.schedule(
            AGAIN, () -> contacts.lookup(aor, again -> loop.execute(() -> found(again, failure))));
      }
    }

    private Optional<RegisteredContact> of(List<RegisteredContact> registered) {
      Uri target = request.uri();
      Comparator<RegisteredContact> latest =
          Comparator.comparing(contact -> contact.binding().updatedAt());
      Optional<RegisteredContact> same =
          registered.stream().filter(each -> each.uri().equivalent(target)).max(latest);
      Optional<RegisteredContact> moved =
          registered.stream().filter(each -> isSameHost(each.uri(), target)).max(latest);
      return same.or(() -> moved)
          .or(() -> registered.size() == 1 ? Optional.of(registered.getFirst()) : Optional.empty());
    }

    private static boolean isSameHost(SipUri contact, Uri target) {
      return target instanceof SipUri sip
          && sip.host().equalsIgnoreCase(contact.host())
          && sip.userText().equals(contact.userText());
    }

    private void end() {
      if (isWaiting) {
        isWaiting = false;
        waiting--;
      }
    }
  }
}
