package io.sippbx.control.call;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CSeq;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderField;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.Params;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TelUri;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The messages that calls send. What one side wrote reaches the other only where it is named here:
 * never addresses, Via, Contact, Call-ID or tags.
 */
final class Messages {

  /** What we understand within and without a dialog. */
  static final String ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER";

  static final String SDP = "application/sdp";

  /** Fields that are passed to the other side as they came. */
  private static final List<HeaderName> PASSED_ON =
      List.of(
          HeaderName.SUBJECT,
          HeaderName.PRIORITY,
          HeaderName.ACCEPT_LANGUAGE,
          HeaderName.ORGANIZATION,
          HeaderName.PRIVACY);

  private static final List<HeaderName> PASSED_ON_IN_FAILURES =
      List.of(HeaderName.RETRY_AFTER, HeaderName.WARNING, HeaderName.REASON);

  private static final String EXTENSION_PREFIX = "x-";
  private static final Pattern FOLD = Pattern.compile("[ \\t]*\\r?\\n[ \\t]+");
  private static final Branch ANY = new Branch("z9hG4bK-any");
  private static final int DEFAULT_MAX_FORWARDS = 70;
  private static final String RETRY_AFTER_SECONDS = "10";

  private final LocalAddresses addresses;
  private final String serverName;

  Messages(LocalAddresses addresses, String serverName) {
    this.addresses = addresses;
    this.serverName = serverName;
  }

  /** Our address for what goes to this destination; empty without a listener of that kind. */
  Optional<Endpoint> local(Destination to) {
    return addresses.advertised(to.protocol(), to.remote().ip());
  }

  /** The Via of a request that goes there; empty without a listener of that kind. */
  Optional<Via> viaFor(Destination to, Branch branch) {
    return local(to).map(local -> Via.of(to.protocol(), local, branch).withRportRequested());
  }

  /** Whether the Via of what was sent there names another node than this one would now. */
  boolean isSentFromElsewhere(SipRequest sent, Destination to) {
    Via via = sent.topVia();
    return local(to)
        .filter(local -> !via.sentBy().equals(Via.of(to.protocol(), local, ANY).sentBy()))
        .isPresent();
  }

  /** Our Contact towards a peer that is reached like this. */
  NameAddr contact(CallKey call, Side side, TransportProtocol protocol, Endpoint local) {
    SipUri uri = SipUri.of(call.text() + side.letter(), local);
    return NameAddr.of(
        protocol == TransportProtocol.UDP
            ? uri
            : uri.withParam("transport", protocol.uriParameter()));
  }

  /** The INVITE for a callee, without body. */
  SipRequest.Builder inviteToCallee(
      CallKey call, int leg, Branch branch, SipRequest received, Target target, Endpoint local) {
    TransportProtocol protocol = target.hop().protocol();
    Tag tag = new CallTag(call, Side.CALLEE, leg).tag();
    SipRequest.Builder invite =
        SipRequest.builder(Method.INVITE, target.uri())
            .via(Via.of(protocol, local, branch).withRportRequested())
            .maxForwards(received.maxForwards().orElse(DEFAULT_MAX_FORWARDS) - 1)
            .from(withOurHost(received.from(), local).withTag(tag))
            .to(withOurHost(NameAddr.of(received.uri()), local))
            .callId(new CallId(call.text() + "-" + leg))
            .cSeq(new CSeq(1, Method.INVITE))
            .contact(contact(call, Side.CALLEE, protocol, local));
    for (NameAddr route : target.routes()) {
      invite.route(route);
    }
    invite.header(HeaderName.ALLOW, ALLOW);
    invite.header(HeaderName.USER_AGENT, serverName);
    passOn(received, invite);
    return invite;
  }

  private static void passOn(SipRequest received, SipRequest.Builder invite) {
    for (HeaderName name : PASSED_ON) {
      for (String value : received.headers(name)) {
        invite.addHeader(name, value);
      }
    }
    List<String> secrets = addressesOf(received);
    for (HeaderField field : received.headerFields()) {
      if (field.name().toLowerCase(Locale.ROOT).startsWith(EXTENSION_PREFIX)) {
        String value = FOLD.matcher(field.value()).replaceAll(" ");
        if (secrets.stream().noneMatch(value::contains)) {
          invite.addHeader(HeaderName.of(field.name()), value);
        }
      }
    }
  }

  /** What must not reach the other side: hosts and the Call-ID. */
  private static List<String> addressesOf(SipRequest received) {
    var secrets = new ArrayList<String>();
    secrets.add(received.callId().value());
    for (Via via : received.vias()) {
      secrets.add(via.host());
      via.received().ifPresent(ip -> secrets.add(ip.toString()));
    }
    for (NameAddr contact : received.contacts()) {
      if (contact.uri() instanceof SipUri uri) {
        secrets.add(uri.host());
      }
    }
    return secrets;
  }

  /** The same user at our address; a telephone number stays as it is. */
  private static NameAddr withOurHost(NameAddr party, Endpoint local) {
    Uri uri =
        switch (party.uri()) {
          case SipUri sip ->
              sip.user().isPresent()
                  ? SipUri.of(local.withPort(0)).withUser(sip.user().get())
                  : SipUri.of(local.withPort(0));
          case TelUri tel -> tel;
          default -> SipUri.of(local.withPort(0));
        };
    return new NameAddr(party.displayName(), uri, Params.EMPTY);
  }

  /** A request within a dialog, whose {@code localCSeq} it takes, without body. */
  SipRequest.Builder inDialog(Dialog dialog, Method method, Branch branch, Endpoint local) {
    Uri target = dialog.remoteTarget();
    List<NameAddr> routes = dialog.routes();
    if (dialog.hasStrictRoute()) {
      // RFC 3261 12.2.1.1: the first route becomes the Request-URI and the target the last route.
      target = routes.getFirst().uri();
      var shifted = new ArrayList<>(routes.subList(1, routes.size()));
      shifted.add(NameAddr.of(dialog.remoteTarget()));
      routes = shifted;
    }
    SipRequest.Builder request =
        SipRequest.builder(method, target)
            .via(Via.of(dialog.hop().protocol(), local, branch).withRportRequested())
            .maxForwards(DEFAULT_MAX_FORWARDS)
            .from(dialog.local())
            .to(dialog.remote())
            .callId(dialog.callId())
            .cSeq(new CSeq(dialog.localCSeq(), method));
    for (NameAddr route : routes) {
      request.route(route);
    }
    request.header(HeaderName.USER_AGENT, serverName);
    return request;
  }

  /** The ACK for a 2xx to the INVITE of this number (RFC 3261 13.2.2.4), without body. */
  SipRequest.Builder ack(Dialog dialog, long inviteCSeq, Branch branch, Endpoint local) {
    return inDialog(dialog.withLocalCSeq(inviteCSeq), Method.ACK, branch, local);
  }

  /** The CANCEL of an INVITE of ours: same branch, Request-URI, tags and number (9.1). */
  static SipRequest cancel(SipRequest invite) {
    SipRequest.Builder cancel =
        SipRequest.builder(Method.CANCEL, invite.uri())
            .via(invite.topVia())
            .maxForwards(DEFAULT_MAX_FORWARDS)
            .from(invite.from())
            .to(invite.to())
            .callId(invite.callId())
            .cSeq(new CSeq(invite.cSeq().number(), Method.CANCEL));
    for (NameAddr route : invite.routes()) {
      cancel.route(route);
    }
    return cancel.build();
  }

  /** A response of ours with this To tag. */
  SipResponse.Builder respond(SipRequest request, int status, Tag toTag) {
    SipResponse.Builder response = SipResponse.to(request, status);
    if (request.toTag().isEmpty()) {
      response.to(request.to().withTag(toTag));
    }
    response.header(HeaderName.SERVER, serverName);
    return response;
  }

  /** A response that makes or refreshes a dialog: with Contact, Allow and the route set. */
  SipResponse.Builder respondInDialog(SipRequest request, int status, Tag toTag, NameAddr contact) {
    SipResponse.Builder response = respond(request, status, toTag);
    for (NameAddr route : request.recordRoutes()) {
      response.recordRoute(route);
    }
    return response.contact(contact).header(HeaderName.ALLOW, ALLOW);
  }

  /** The answer to what cannot be served now. */
  static SipResponse refusal(SipRequest request, int status) {
    SipResponse.Builder response = SipResponse.to(request, status);
    return status == 503 || status == 500
        ? response.header(HeaderName.RETRY_AFTER, RETRY_AFTER_SECONDS).build()
        : response.build();
  }

  /** Adds what a failure says for people and machines. */
  static void passOnFailure(SipResponse failure, SipResponse.Builder response) {
    for (HeaderName name : PASSED_ON_IN_FAILURES) {
      for (String value : failure.headers(name)) {
        response.addHeader(name, value);
      }
    }
  }
}
