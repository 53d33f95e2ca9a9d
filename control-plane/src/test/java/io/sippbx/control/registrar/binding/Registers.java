package io.sippbx.control.registrar.binding;

import io.sippbx.control.sip.auth.NonceCounts;
import io.sippbx.control.sip.auth.NonceUse;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** REGISTER requests and bindings for tests. */
public final class Registers {

  /** sip:bob@pbx.example. */
  public static final Aor BOB = new Aor("bob", "pbx.example");

  /** UDP, from 192.0.2.9:5060. */
  public static final Flow FLOW =
      Flow.udp(Endpoint.of("192.0.2.1", 5060), Endpoint.of("192.0.2.9", 5060));

  private Registers() {}

  /** Contact values; {@code *} and nothing as they are. */
  public static Register of(String callId, long cSeq, long expires, String... contacts) {
    Register.Contacts what =
        contacts.length == 0
            ? new Register.Contacts.None()
            : contacts[0].equals("*")
                ? new Register.Contacts.Wildcard()
                : new Register.Contacts.Some(
                    Stream.of(contacts).map(text -> NameAddr.parse(text).orElseThrow()).toList());
    return new Register(
        BOB,
        new CallId(callId),
        cSeq,
        what,
        expires < 0 ? OptionalLong.empty() : OptionalLong.of(expires),
        List.of(),
        List.of(
            Via.of(TransportProtocol.UDP, FLOW.remote(), new Branch("z9hG4bK" + callId + cSeq))),
        FLOW,
        "phone/1",
        Optional.empty());
  }

  /** The same with credentials. */
  public static Register with(Register request, NonceUse use) {
    return new Register(
        request.aor(),
        request.callId(),
        request.cSeq(),
        request.contacts(),
        request.expires(),
        request.path(),
        request.vias(),
        request.flow(),
        request.userAgent(),
        Optional.of(use));
  }

  /** The same by way of a proxy. */
  public static Register by(Register request, String proxy) {
    return new Register(
        request.aor(),
        request.callId(),
        request.cSeq(),
        request.contacts(),
        request.expires(),
        List.of(NameAddr.parse(proxy).orElseThrow()),
        request.vias(),
        request.flow(),
        request.userAgent(),
        request.nonce());
  }

  /** A record with one binding. */
  public static Registration record(String contact, Instant expiresAt) {
    return new Registration(List.of(binding(contact, expiresAt)), NonceCounts.NONE, List.of());
  }

  /** A binding that was written an hour before it expires. */
  public static Binding binding(String contact, Instant expiresAt) {
    return new Binding(
        NameAddr.parse(contact).orElseThrow(),
        new CallId("call"),
        1,
        List.of(),
        FLOW,
        Reach.CONTACT,
        "phone/1",
        expiresAt.minusSeconds(3600),
        expiresAt);
  }
}
