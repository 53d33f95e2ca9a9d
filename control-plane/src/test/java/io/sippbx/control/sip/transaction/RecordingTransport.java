package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Remembers what was sent, and can be told to fail. */
final class RecordingTransport implements SipTransport {

  /** One message; exactly one of the two ways is there. */
  record Sent(SipMessage message, Optional<Destination> destination, Optional<Flow> flow) {}

  private final List<Sent> sent = new ArrayList<>();
  private boolean failing;

  void failFromNowOn() {
    failing = true;
  }

  /** All that was sent since the last time. */
  List<Sent> take() {
    List<Sent> taken = List.copyOf(sent);
    sent.clear();
    return taken;
  }

  /** The same, as "INVITE" or "180". */
  List<String> takeNames() {
    return take().stream().map(one -> name(one.message())).toList();
  }

  static String name(SipMessage message) {
    return switch (message) {
      case SipRequest request -> request.method().name();
      case SipResponse response -> Integer.toString(response.status());
    };
  }

  @Override
  public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
    sent.add(new Sent(message, Optional.of(to), Optional.empty()));
    failIfTold(onFailure);
  }

  @Override
  public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
    sent.add(new Sent(message, Optional.empty(), Optional.of(flow)));
    failIfTold(onFailure);
  }

  // Inline, which is ruder than the port allows.
  private void failIfTold(Consumer<SendFailure> onFailure) {
    if (failing) {
      onFailure.accept(new SendFailure(SendFailure.Reason.UNREACHABLE, "told to fail"));
    }
  }

  @Override
  public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
    return Optional.of(Sip.US);
  }
}
