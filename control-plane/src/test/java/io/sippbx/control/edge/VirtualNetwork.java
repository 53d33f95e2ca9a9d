package io.sippbx.control.edge;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** A datagram network on virtual time that loses, repeats, delays and so reorders, by a seed. */
final class VirtualNetwork {

  /** A datagram that was sent, for a readable trace. */
  record Sent(Duration at, Endpoint from, Endpoint to, String line) {
    @Override
    public String toString() {
      return at.toMillis() + " ms " + from + " -> " + to + " " + line;
    }
  }

  private final Loop wire;
  private final Random random;
  private final double loss;
  private final Map<Endpoint, BiConsumer<SipMessage, Flow>> hosts = new LinkedHashMap<>();
  private final Map<Endpoint, SipMessage> lastTo = new LinkedHashMap<>();
  private final List<Sent> trace = new ArrayList<>();
  private final long startNs;

  VirtualNetwork(Loop wire, Random random, double loss) {
    this.wire = wire;
    this.random = random;
    this.loss = loss;
    this.startNs = wire.nowNs();
  }

  /** Gives what arrives at {@code address} to {@code receiver}; the transport of that host. */
  SipTransport attach(Endpoint address, BiConsumer<SipMessage, Flow> receiver) {
    hosts.put(address, receiver);
    return new HostTransport(address);
  }

  /** Nobody is at this address any more. */
  void detach(Endpoint address) {
    hosts.remove(address);
  }

  /** The last message that was sent to a host. */
  Optional<SipMessage> lastTo(Endpoint host) {
    return Optional.ofNullable(lastTo.get(host));
  }

  List<Sent> trace() {
    return trace;
  }

  private void carry(Endpoint from, Endpoint to, SipMessage message) {
    lastTo.put(to, message);
    String line =
        switch (message) {
          case SipRequest request -> request.method().name();
          case SipResponse response -> response.status() + " " + response.cSeq().method();
        };
    trace.add(
        new Sent(Duration.ofNanos(wire.nowNs() - startNs), from, to, line + " " + message.cSeq()));
    int copies = random.nextDouble() < loss ? 0 : random.nextDouble() < loss / 2 ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      Duration delay = Duration.ofMillis(1 + random.nextInt(loss == 0 ? 5 : 40));
      wire.schedule(
          delay,
          () -> {
            BiConsumer<SipMessage, Flow> host = hosts.get(to);
            if (host != null) {
              host.accept(withSource(message, from), Flow.udp(to, from));
            }
          });
    }
  }

  private static SipMessage withSource(SipMessage message, Endpoint from) {
    if (!(message instanceof SipRequest request)) {
      return message;
    }
    Via via = request.topVia().withReceived(from.ip());
    return request.toBuilder()
        .replaceTopVia(via.wantsRport() ? via.withRport(from.port()) : via)
        .build();
  }

  private final class HostTransport implements SipTransport {
    private final Endpoint address;

    HostTransport(Endpoint address) {
      this.address = address;
    }

    @Override
    public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
      carry(address, to.flow().map(Flow::remote).orElse(to.remote()), message);
    }

    @Override
    public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
      carry(address, flow.remote(), message);
    }

    @Override
    public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
      return protocol == TransportProtocol.UDP && !v6 ? Optional.of(address) : Optional.empty();
    }
  }
}
