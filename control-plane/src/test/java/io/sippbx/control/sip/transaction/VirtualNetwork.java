package io.sippbx.control.sip.transaction;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * A network between hosts on virtual time: over UDP it loses, repeats, delays and so reorders, as
 * its seed says; over TCP it only delays, in order. What arrives is parsed from what was sent.
 */
final class VirtualNetwork {

  /**
   * @param lostPercent of messages over UDP
   * @param repeatedPercent of messages over UDP, arriving twice
   * @param mostDelayMs each copy's delay is drawn from 0 to this
   */
  record Faults(int lostPercent, int repeatedPercent, int mostDelayMs) {}

  private static final Duration TCP_DELAY = Duration.ofMillis(20);

  private final Random random;
  private final Faults faults;
  private final Map<Endpoint, Host> hosts = new LinkedHashMap<>();
  private int lost;
  private int repeated;

  VirtualNetwork(long seed, Faults faults) {
    this.random = new Random(seed * 0x9e3779b97f4a7c15L);
    this.faults = faults;
  }

  /** A host; {@code receiver} is called on {@code loop}. */
  Host host(Endpoint address, Loop loop, BiConsumer<SipMessage, Flow> receiver) {
    var host = new Host(address, loop, receiver);
    hosts.put(address, host);
    return host;
  }

  int lost() {
    return lost;
  }

  int repeated() {
    return repeated;
  }

  /** One end of the network. */
  final class Host implements SipTransport {

    private final Endpoint address;
    private final Loop loop;
    private final BiConsumer<SipMessage, Flow> receiver;
    private final Map<String, Integer> sent = new LinkedHashMap<>();

    private Host(Endpoint address, Loop loop, BiConsumer<SipMessage, Flow> receiver) {
      this.address = address;
      this.loop = loop;
      this.receiver = receiver;
    }

    /** How often each message was sent, by its octets. */
    Map<String, Integer> sent() {
      return sent;
    }

    @Override
    public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
      send(message, to.protocol(), to.remote(), onFailure);
    }

    @Override
    public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
      send(message, flow.protocol(), flow.remote(), onFailure);
    }

    @Override
    public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
      return Optional.of(address);
    }

    private void send(
        SipMessage message,
        TransportProtocol protocol,
        Endpoint remote,
        Consumer<SendFailure> onFailure) {
      sent.merge(message.toString(), 1, Integer::sum);
      Host host = hosts.get(remote);
      if (host == null) {
        loop.execute(
            () ->
                onFailure.accept(
                    new SendFailure(SendFailure.Reason.UNREACHABLE, remote.toString())));
        return;
      }
      Flow flow =
          protocol.isReliable()
              ? Flow.accepted(protocol, remote, address, 1)
              : Flow.udp(remote, address);
      if (protocol.isReliable()) {
        host.deliver(message, flow, TCP_DELAY);
        return;
      }
      if (random.nextInt(100) < faults.lostPercent()) {
        lost++;
        return;
      }
      int copies = 1;
      if (random.nextInt(100) < faults.repeatedPercent()) {
        repeated++;
        copies = 2;
      }
      for (int i = 0; i < copies; i++) {
        int delayMs = random.nextInt(faults.mostDelayMs() + 1);
        host.deliver(message, flow, Duration.ofMillis(delayMs));
      }
    }

    private void deliver(SipMessage message, Flow flow, Duration delay) {
      byte[] octets = message.toBytes();
      loop.schedule(delay, () -> receiver.accept(Sip.parse(octets), flow));
    }
  }
}
