package io.sippbx.simulation;

import io.sippbx.control.call.BranchName;
import io.sippbx.control.call.CallTag;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * A datagram network that loses, repeats, delays and so reorders. Several hosts may stand behind
 * one address, as control nodes do in shared-address mode: a peer's datagrams go to one of those
 * that are there, by its address (ECMP, or a group of sockets), until who is there changes.
 *
 * <p>What arrives is parsed from the octets that were sent.
 */
final class Network {

  /** A message that was sent by a host. */
  record Sent(Host from, Endpoint to, SipMessage message) {}

  private final VirtualLoop wire;
  private final RandomGenerator random;
  private final Trace trace;
  private final Consumer<Sent> observer;
  private final Consumer<Sent> listener;
  private final Map<Endpoint, List<Host>> hosts = new LinkedHashMap<>();
  private final double loss;
  private final int longestDelayMs;
  private double stormLoss;
  private int salt;

  /**
   * @param observer sees each message as it is sent
   * @param listener sees each as it arrives where somebody hears it
   */
  Network(
      VirtualLoop wire,
      RandomGenerator random,
      Trace trace,
      Scenario scenario,
      Consumer<Sent> observer,
      Consumer<Sent> listener) {
    this.wire = wire;
    this.random = random;
    this.trace = trace;
    this.observer = observer;
    this.listener = listener;
    this.loss = scenario.loss();
    this.longestDelayMs = scenario.longestDelayMs();
  }

  /** Gives what arrives at {@code address} to {@code receiver}, on the network's loop. */
  Host attach(String name, Endpoint address, BiConsumer<SipMessage, Flow> receiver) {
    var host = new Host(name, address, receiver);
    hosts.computeIfAbsent(address, key -> new ArrayList<>()).add(host);
    salt++;
    return host;
  }

  /** From now on this much more is lost; 0: no more than ever. */
  void storm(double lost) {
    stormLoss = lost;
  }

  private void carry(Host from, Endpoint to, SipMessage message) {
    observer.accept(new Sent(from, to, message));
    double lost = Math.max(loss, stormLoss);
    int copies = random.nextDouble() < lost ? 0 : random.nextDouble() < lost / 2 ? 2 : 1;
    if (from.cut) {
      copies = 0;
    }
    var delays = new int[copies];
    byte[] octets = copies == 0 ? new byte[0] : message.toBytes();
    for (int i = 0; i < copies; i++) {
      int delayMs = 1 + random.nextInt(longestDelayMs);
      delays[i] = delayMs;
      wire.schedule(Duration.ofMillis(delayMs), () -> arrive(from, to, octets));
    }
    trace.note(from.name, () -> "-> " + to + ' ' + told(message) + told(delays));
  }

  private static String told(int[] delays) {
    if (delays.length == 0) {
      return " lost";
    }
    var line = new StringBuilder();
    for (int delayMs : delays) {
      line.append(" +").append(delayMs);
    }
    return line.toString();
  }

  private void arrive(Host from, Endpoint to, byte[] octets) {
    List<Host> there = hosts.getOrDefault(to, List.of());
    if (there.isEmpty()) {
      return;
    }
    Host host = there.get(Dice.spread(from.address.hashCode() * 31L + salt) % there.size());
    if (host.cut) {
      trace.note(host.name, () -> "does not hear " + from.name);
      return;
    }
    SipMessage message = withSource(parsed(octets), from.address);
    listener.accept(new Sent(from, to, message));
    host.receiver.accept(message, Flow.udp(to, from.address));
  }

  private static SipMessage parsed(byte[] octets) {
    ParseResult result = SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT);
    if (result instanceof ParseResult.Parsed parsed) {
      return parsed.message();
    }
    throw new IllegalStateException("Expected to read what was written, but got " + result);
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

  /** A message in a few words. */
  static String told(SipMessage message) {
    String start =
        switch (message) {
          case SipRequest request -> request.method() + " " + request.uri();
          case SipResponse response -> response.status() + " of " + response.cSeq().method();
        };
    return start
        + " (cseq "
        + message.cSeq().number()
        + ", "
        + message.callId().value()
        + message.toTag().map(tag -> ", to " + tag.value()).orElse("")
        + ")";
  }

  /** The call that a message of a node names, by our branch or one of our tags. */
  static Optional<CallKey> callOf(SipMessage message) {
    Optional<CallKey> byBranch =
        message.topVia().branch().flatMap(BranchName::of).map(BranchName::call);
    return byBranch
        .or(() -> message.toTag().flatMap(CallTag::of).map(CallTag::call))
        .or(() -> message.fromTag().flatMap(CallTag::of).map(CallTag::call));
  }

  /** An end of the network, as its owner sends by it. */
  final class Host implements SipTransport {
    private final String name;
    private final Endpoint address;
    private final BiConsumer<SipMessage, Flow> receiver;
    private boolean cut;
    private boolean gone;

    private Host(String name, Endpoint address, BiConsumer<SipMessage, Flow> receiver) {
      this.name = name;
      this.address = address;
      this.receiver = receiver;
    }

    String name() {
      return name;
    }

    Endpoint address() {
      return address;
    }

    /** Neither sends nor hears from now on, and knows nothing of it; or does again. */
    void cut(boolean off) {
      cut = off;
    }

    /** Is no more: what it sends is nothing, and others get what is meant for its address. */
    void detach() {
      gone = true;
      List<Host> there = hosts.get(address);
      if (there != null && there.remove(this)) {
        salt++;
      }
    }

    @Override
    public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
      if (!gone) {
        carry(this, to.flow().map(Flow::remote).orElse(to.remote()), message);
      }
    }

    @Override
    public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
      if (!gone) {
        carry(this, flow.remote(), message);
      }
    }

    @Override
    public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
      return protocol == TransportProtocol.UDP && !v6 ? Optional.of(address) : Optional.empty();
    }
  }
}
