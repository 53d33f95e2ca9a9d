package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.epoll.Epoll;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Peers.Received;
import io.sippbx.control.sip.transport.Peers.Tcp;
import io.sippbx.control.sip.transport.Peers.TcpServer;
import io.sippbx.control.sip.transport.Peers.Udp;
import io.sippbx.control.sip.transport.SendFailure.Reason;
import io.sippbx.control.sip.transport.TransportCounters.Closed;
import io.sippbx.control.sip.transport.TransportCounters.Drop;
import io.sippbx.control.sip.transport.TransportLimits.Switching;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

@ParameterizedClass(name = "{0}, IPv6 {1}")
@MethodSource("kinds")
class NettySipTransportTest {

  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Duration SHORT = Duration.ofMillis(100);

  private final NettyLoops.Io io;
  private final boolean v6;
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final Received received = new Received();
  private final BlockingQueue<SendFailure> failures = new LinkedBlockingQueue<>();
  private @Nullable NettyLoops startedLoops;
  private @Nullable NettySipTransport started;

  NettySipTransportTest(NettyLoops.Io io, boolean v6) {
    this.io = io;
    this.v6 = v6;
  }

  static Stream<Arguments> kinds() {
    return Stream.of(
        Arguments.of(NettyLoops.Io.EPOLL, false),
        Arguments.of(NettyLoops.Io.EPOLL, true),
        Arguments.of(NettyLoops.Io.NIO, false),
        Arguments.of(NettyLoops.Io.NIO, true));
  }

  @BeforeEach
  void needsWhatTheKindNeeds() throws IOException {
    assumeTrue(io != NettyLoops.Io.EPOLL || Epoll.isAvailable(), "epoll");
    try (var probe = new DatagramSocket(new InetSocketAddress(Peers.loopback(v6), 0))) {
      assumeTrue(probe.isBound());
    } catch (IOException e) {
      assumeTrue(!v6, "an IPv6 loopback address");
      throw e;
    }
  }

  @AfterEach
  void closesAll() throws Exception {
    if (started != null) {
      started.close(Duration.ofSeconds(1));
    }
    for (AutoCloseable each : opened) {
      each.close();
    }
    if (startedLoops != null) {
      startedLoops.close();
    }
  }

  private <T extends AutoCloseable> T using(T resource) {
    opened.add(resource);
    return resource;
  }

  private Endpoint anyPort() {
    return new Endpoint(IpAddress.ofOctets(Peers.loopback(v6).getAddress()), 0);
  }

  private NettyLoops loops(int threads) {
    NettyLoops loops = NettyLoops.start(threads, io);
    startedLoops = loops;
    return loops;
  }

  private List<Listener> udpAndTcp() {
    return List.of(
        Listener.on(TransportProtocol.UDP, anyPort()),
        Listener.on(TransportProtocol.TCP, anyPort()));
  }

  private NettySipTransport bound(int threads, UnaryOperator<TransportSettings> change)
      throws IOException {
    NettySipTransport transport =
        NettySipTransport.bind(
            loops(threads),
            change.apply(TransportSettings.of(udpAndTcp()).withReceiveBuffer(65_536)));
    started = transport;
    return transport;
  }

  private NettySipTransport started(int threads, UnaryOperator<TransportSettings> change)
      throws IOException {
    NettySipTransport transport = bound(threads, change);
    transport.start(received);
    return transport;
  }

  private NettySipTransport started() throws IOException {
    return started(2, settings -> settings);
  }

  private NettySipTransport withTcp(UnaryOperator<TransportLimits.Tcp> change) throws IOException {
    return started(
        1,
        settings ->
            settings.withLimits(
                TransportLimits.DEFAULT.withTcp(change.apply(TransportLimits.Tcp.DEFAULT))));
  }

  private static Member member(long incarnation) {
    return new Member(new NodeId("node"), new Incarnation(incarnation));
  }

  private Endpoint udpAddress(NettySipTransport transport) {
    return transport.advertised(TransportProtocol.UDP, v6).orElseThrow();
  }

  private Endpoint tcpAddress(NettySipTransport transport) {
    return transport.advertised(TransportProtocol.TCP, v6).orElseThrow();
  }

  private static String request(String method, String via, String branch, int bodyBytes) {
    return method
        + " sip:1008@pbx.example SIP/2.0\r\n"
        + "Via: "
        + via
        + ";branch=z9hG4bK"
        + branch
        + "\r\nMax-Forwards: 70\r\n"
        + "From: <sip:1004@pbx.example>;tag=a\r\n"
        + "To: <sip:1008@pbx.example>\r\n"
        + "Call-ID: "
        + branch
        + "@peer\r\n"
        + "CSeq: 1 "
        + method
        + "\r\nContent-Length: "
        + bodyBytes
        + "\r\n\r\n"
        + "x".repeat(bodyBytes);
  }

  private static String options(String via, String branch) {
    return request("OPTIONS", via, branch, 0);
  }

  private static String over(String transport, Endpoint sentBy) {
    return "SIP/2.0/" + transport + " " + sentBy;
  }

  private static SipMessage ok(SipMessage request) {
    return SipResponse.to((SipRequest) request, 200).build();
  }

  private static String branchOf(SipMessage message) {
    return message.topVia().branch().map(Branch::value).orElse("");
  }

  /** A request of ours, with our address of that transport in its Via. */
  private SipMessage ours(
      NettySipTransport transport,
      TransportProtocol protocol,
      Method method,
      String branch,
      int body) {
    Endpoint us = transport.advertised(protocol, v6).orElseThrow();
    return Peers.parse(request(method.name(), over(protocol.name(), us), branch, body));
  }

  @Nested
  class OverUdp {

    @Test
    @DisplayName("RFC 3581 4: rport and received tell the source")
    void tellsTheSourceWhereAsked() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      phone.send(
          Peers.bytes(options("SIP/2.0/UDP phone.invalid:5062;rport", "1")), udpAddress(transport));
      SipMessage request = Peers.next(received.messages);
      assertThat(request.topVia().received()).contains(phone.endpoint().ip());
      assertThat(request.topVia().rport()).hasValue(phone.endpoint().port());
      assertThat(Peers.next(received.flows))
          .isEqualTo(Flow.udp(udpAddress(transport), phone.endpoint()));
    }

    @Test
    @DisplayName("RFC 3261 18.2.1: received is added to a name and to another address only")
    void addsReceivedWhereSentByIsNotTheSource() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      phone.send(Peers.bytes(options(over("UDP", phone.endpoint()), "1")), udpAddress(transport));
      assertThat(Peers.next(received.messages).topVia().params().has("received")).isFalse();
      phone.send(
          Peers.bytes(options("SIP/2.0/UDP 192.0.2.7;received=192.0.2.8", "2")),
          udpAddress(transport));
      assertThat(Peers.next(received.messages).topVia().received()).contains(phone.endpoint().ip());
    }

    @Test
    @DisplayName("RFC 3581 4: a response goes to the source")
    void answersToTheSourceWhereAsked() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      phone.send(Peers.bytes(options("SIP/2.0/UDP 192.0.2.7:9;rport", "1")), udpAddress(transport));
      transport.send(ok(Peers.next(received.messages)), Peers.next(received.flows), failures::add);
      assertThat(Peers.text(phone.receive())).startsWith("SIP/2.0 200");
      Peers.await("count", () -> transport.counters().sent(TransportProtocol.UDP) == 1);
    }

    @Test
    @DisplayName("RFC 3261 18.2.2: else to the source's address and the port of sent-by")
    void answersToThePortOfSentBy() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      var hears = using(new Udp(v6));
      phone.send(
          Peers.bytes(options("SIP/2.0/UDP phone.invalid:" + hears.endpoint().port(), "1")),
          udpAddress(transport));
      transport.send(ok(Peers.next(received.messages)), Peers.next(received.flows), failures::add);
      assertThat(Peers.text(hears.receive())).startsWith("SIP/2.0 200");
    }

    @Test
    @DisplayName("RFC 3261 18.1.2: a response is taken only if its topmost Via is ours")
    void dropsForeignResponses() throws IOException {
      var transport = started();
      var peer = using(new Udp(v6));
      Endpoint us = udpAddress(transport);
      var foreign = Peers.parse(options(over("UDP", us.withPort(us.port() ^ 1)), "1"));
      peer.send(ok(foreign).toBytes(), us);
      peer.send(ok(Peers.parse(options(over("UDP", us), "2"))).toBytes(), us);
      assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK2");
      assertThat(transport.counters().dropped(Drop.FOREIGN_RESPONSE)).isOne();
    }

    @Test
    void takesResponsesToRequestsOfOtherNodes() throws IOException {
      var transport = started();
      var peer = using(new Udp(v6));
      Endpoint us = udpAddress(transport);
      Endpoint other = us.withPort(us.port() ^ 1);
      transport.takeResponsesFor(List.of(other));
      peer.send(ok(Peers.parse(options(over("UDP", other), "1"))).toBytes(), us);
      assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK1");
    }

    @Test
    void passesUpWhatIsMalformedWithTheSourceInIt() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      String bad =
          options("SIP/2.0/UDP phone.invalid;rport", "1")
              .replace("Max-Forwards: 70", "Max-Forwards: x");
      phone.send(Peers.bytes(bad), udpAddress(transport));
      var malformed = Peers.next(received.malformed);
      assertThat(malformed.status()).isEqualTo(400);
      assertThat(malformed.answerable().orElseThrow().topVia().rport())
          .hasValue(phone.endpoint().port());
      assertThat(transport.counters().malformed(TransportProtocol.UDP)).isOne();
    }

    @Test
    void tellsTheSourceOfARequestWhoseCSeqNamesAnotherMethod() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      String bad =
          options("SIP/2.0/UDP phone.invalid;rport", "1")
              .replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE");
      phone.send(Peers.bytes(bad), udpAddress(transport));
      var malformed = Peers.next(received.malformed);
      assertThat(malformed.status()).isEqualTo(400);
      assertThat(malformed.answerable().orElseThrow().topVia().rport())
          .hasValue(phone.endpoint().port());
    }

    @Test
    void survivesWhatIsNoSip() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      phone.send(new byte[] {0, 1, 2, (byte) 0xff}, udpAddress(transport));
      phone.send(
          Peers.bytes(
              options("SIP/2.0/UDP x.invalid", "1").replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE")),
          udpAddress(transport));
      phone.send(Peers.bytes(options("SIP/2.0/UDP x.invalid", "2")), udpAddress(transport));
      assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK2");
      assertThat(transport.counters().malformed(TransportProtocol.UDP)).isEqualTo(2);
    }

    @Test
    void dropsDatagramsAboveTheLimit() throws IOException {
      var transport =
          started(
              1,
              settings ->
                  settings.withLimits(
                      TransportLimits.DEFAULT.withMessages(
                          new SipLimits(1_000, 1_000, 64, 8, 64, 256, 1_000))));
      var phone = using(new Udp(v6));
      // Three digits of Content-Length instead of one.
      int head = options("SIP/2.0/UDP x.invalid", "1").length() + 2;
      phone.send(
          Peers.bytes(request("OPTIONS", "SIP/2.0/UDP x.invalid", "1", 1_000 - head)),
          udpAddress(transport));
      phone.send(
          Peers.bytes(request("OPTIONS", "SIP/2.0/UDP x.invalid", "2", 1_100)),
          udpAddress(transport));
      phone.send(Peers.bytes(options("SIP/2.0/UDP x.invalid", "3")), udpAddress(transport));
      var branches = new ArrayList<String>();
      for (int i = 0; i < 2; i++) {
        branches.add(branchOf(Peers.next(received.messages)));
      }
      assertThat(branches).containsExactly("z9hG4bK1", "z9hG4bK3");
      assertThat(transport.counters().dropped(Drop.TOO_LARGE)).isOne();
    }

    @Test
    void takesTheLargestDatagram() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      String via = over("UDP", phone.endpoint());
      int head = options(via, "1").length() + 4;
      phone.send(Peers.bytes(request("OPTIONS", via, "1", 65_000 - head)), udpAddress(transport));
      assertThat(Peers.next(received.messages).size()).isEqualTo(65_000);
    }

    @Test
    void answersPingsAndIgnoresOtherLineEnds() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      phone.send(Peers.bytes("\r\n"), udpAddress(transport));
      phone.send(Peers.bytes("\r\n\r\n"), udpAddress(transport));
      assertThat(phone.receive()).isEqualTo(Peers.bytes("\r\n"));
      phone.send(Peers.bytes(options("SIP/2.0/UDP x.invalid;rport", "1")), udpAddress(transport));
      transport.send(ok(Peers.next(received.messages)), Peers.next(received.flows), failures::add);
      assertThat(Peers.text(phone.receive())).startsWith("SIP/2.0 200");
      assertThat(transport.counters().keepAlives(TransportProtocol.UDP)).isEqualTo(2);
    }

    @Test
    void isOfOneMemberUnlessItsAddressIsShared() throws IOException {
      var transport = started(1, settings -> settings.ofMember(member(1)));
      try (var phone = using(new Udp(v6))) {
        phone.send(Peers.bytes(options(over("UDP", phone.endpoint()), "1")), udpAddress(transport));
        assertThat(Peers.next(received.flows).holder()).contains(member(1));
      }
      TransportSettings shared =
          TransportSettings.of(udpAndTcp()).ofMember(member(1)).withSharedAddress(true);
      assertThat(shared.udpHolder()).isEmpty();
    }

    @Test
    void countsStun() throws IOException {
      var transport = started();
      var phone = using(new Udp(v6));
      byte[] binding = new byte[20];
      binding[1] = 1;
      binding[4] = 0x21;
      binding[5] = 0x12;
      binding[6] = (byte) 0xa4;
      binding[7] = 0x42;
      phone.send(binding, udpAddress(transport));
      Peers.await("stun", () -> transport.counters().dropped(Drop.STUN) == 1);
      assertThat(received.malformed).isEmpty();
    }

    @Test
    void sharesAnAddressAmongSeveralSockets() throws IOException {
      var transport = started(3, settings -> settings.withUdpSockets(0));
      for (int i = 0; i < 60; i++) {
        using(new Udp(v6))
            .send(Peers.bytes(options("SIP/2.0/UDP x.invalid", "n" + i)), udpAddress(transport));
      }
      var branches = new ArrayList<String>();
      for (int i = 0; i < 60; i++) {
        branches.add(branchOf(Peers.next(received.messages)));
      }
      assertThat(branches).doesNotHaveDuplicates();
      // Without SO_REUSEPORT there is one socket, on one loop.
      assertThat(received.threads.size() > 1).isEqualTo(io == NettyLoops.Io.EPOLL);
    }

    @Test
    void sendsFromTheListenersAddressFromAnyThread() throws IOException {
      var transport = started();
      var peer = using(new Udp(v6));
      var request = ours(transport, TransportProtocol.UDP, Method.OPTIONS, "1", 0);
      var to = Destination.to(TransportProtocol.UDP, peer.endpoint());
      transport.send(request, to, failures::add);
      assertThat(peer.receive()).isEqualTo(request.toBytes());
      for (Loop loop : loopsOf(transport)) {
        loop.execute(() -> transport.send(request, to, failures::add));
        assertThat(peer.receive()).isEqualTo(request.toBytes());
      }
      // The answer to the source is the answer to what we advertise.
      peer.send(ok(request).toBytes(), udpAddress(transport));
      assertThat(Peers.next(received.messages)).isInstanceOf(SipResponse.class);
    }

    @Test
    void sendsOverTheFlowOfADestination() throws IOException {
      var transport = started();
      var behindNat = using(new Udp(v6));
      var request = ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 2_000);
      transport.send(
          request,
          Destination.to(TransportProtocol.UDP, new Endpoint(behindNat.endpoint().ip(), 9))
              .preferring(Flow.udp(udpAddress(transport), behindNat.endpoint())),
          failures::add);
      assertThat(behindNat.receive()).isEqualTo(request.toBytes());
      assertThat(transport.counters().switchedToTcp()).isZero();
    }

    @Test
    void neverLeavesAUdpFlowThatIsAllThereIs() throws IOException {
      var transport = started();
      var behindNat = using(new Udp(v6));
      var request = ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 2_000);
      Flow flow = Flow.udp(udpAddress(transport), behindNat.endpoint());
      transport.send(request, Destination.over(flow), failures::add);
      assertThat(behindNat.receive()).isEqualTo(request.toBytes());
      assertThat(transport.counters().switchedToTcp()).isZero();
    }

    @Test
    @DisplayName("a Contact may name any address: nothing goes to all, to many or to nobody")
    void sendsToAddressesOfOneHostOnly() throws IOException {
      var transport = started();
      List<String> others =
          v6
              ? List.of("::", "ff02::1", "ff0e::7")
              : List.of("0.0.0.0", "255.255.255.255", "239.1.1.1");
      for (String other : others) {
        var request = ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 0);
        transport.send(
            request,
            Destination.to(TransportProtocol.UDP, Endpoint.of(other, 5060)),
            failures::add);
        SendFailure failure = Peers.next(failures);
        assertThat(failure.reason()).as(other).isEqualTo(Reason.UNREACHABLE);
        assertThat(failure.detail()).contains("not the address of a host");
      }
      assertThat(transport.counters().sent(TransportProtocol.UDP)).isZero();
    }

    @Test
    void failsWhatNoDatagramCanCarry() throws IOException {
      var transport = started(1, settings -> settings);
      var peer = using(new Udp(v6));
      transport.send(
          ok(ours(transport, TransportProtocol.UDP, Method.OPTIONS, "1", 0)),
          Flow.udp(udpAddress(transport), peer.endpoint()),
          failures::add);
      assertThat(failures).isEmpty();
      SipMessage huge =
          SipResponse.to((SipRequest) Peers.parse(options(over("UDP", peer.endpoint()), "2")), 200)
              .body("text/plain", new byte[65_600])
              .build();
      transport.send(huge, Flow.udp(udpAddress(transport), peer.endpoint()), failures::add);
      assertThat(Peers.next(failures).reason()).isEqualTo(Reason.TOO_LARGE);
      assertThat(transport.counters().failures(Reason.TOO_LARGE)).isOne();
    }

    @Test
    void countsWhatTheKernelDrops() throws IOException {
      assumeTrue(Files.exists(Path.of("/proc/net/udp")), "a table of sockets");
      var transport = bound(1, settings -> settings.withReceiveBuffer(4_096));
      var phone = using(new Udp(v6));
      byte[] octets = Peers.bytes(request("OPTIONS", "SIP/2.0/UDP x.invalid", "1", 1_000));
      for (int i = 0; i < 200; i++) {
        phone.send(octets, udpAddress(transport));
      }
      Peers.await("drops", () -> transport.counters().kernelDrops() > 0);
    }

    @Test
    void showsTheTracerBothWays() throws IOException {
      var transport = started();
      var lines = new LinkedBlockingQueue<String>();
      transport.trace(
          new MessageTracer() {
            @Override
            public void received(byte[] octets, Flow flow, Instant at) {
              lines.add("in " + flow.remote() + " " + Peers.text(octets).lines().findFirst().get());
            }

            @Override
            public void sent(byte[] octets, Flow flow, Instant at) {
              lines.add(
                  "out " + flow.remote() + " " + Peers.text(octets).lines().findFirst().get());
            }
          });
      var phone = using(new Udp(v6));
      phone.send(Peers.bytes(options("SIP/2.0/UDP x.invalid;rport", "1")), udpAddress(transport));
      transport.send(ok(Peers.next(received.messages)), Peers.next(received.flows), failures::add);
      phone.receive();
      assertThat(Peers.next(lines))
          .isEqualTo("in " + phone.endpoint() + " OPTIONS sip:1008@pbx.example SIP/2.0");
      assertThat(Peers.next(lines)).isEqualTo("out " + phone.endpoint() + " SIP/2.0 200 OK");
    }
  }

  /** The system frees a port a moment after the JDK's selectors let go of it. */
  private static void assertFree(Endpoint endpoint) {
    Peers.await(
        endpoint + " to be free",
        () -> {
          try (var probe = new TcpServer(endpoint)) {
            return probe.endpoint().equals(endpoint);
          } catch (UncheckedIOException e) {
            return false;
          }
        });
  }

  private List<Loop> loopsOf(NettySipTransport transport) {
    assertThat(transport).isSameAs(started);
    NettyLoops loops = startedLoops;
    return loops == null ? List.of() : loops.loops().all();
  }

  @Nested
  class OverTcpAsServer {

    @Test
    void takesAMessageOctetByOctet() throws IOException {
      var transport = started();
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        for (byte octet : Peers.bytes(request("MESSAGE", over("TCP", phone.local()), "1", 20))) {
          phone.send(new byte[] {octet});
        }
        SipMessage message = Peers.next(received.messages);
        assertThat(message.body()).hasSize(20);
        Flow flow = Peers.next(received.flows);
        assertThat(flow.local()).isEqualTo(tcpAddress(transport));
        assertThat(flow.remote()).isEqualTo(phone.local());
        assertThat(flow.connection()).isNotZero();
      }
    }

    @Test
    void takesPipelinedMessagesInOrder() throws IOException {
      var transport = started();
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        var stream = new StringBuilder();
        for (int i = 0; i < 500; i++) {
          stream.append(request("MESSAGE", over("TCP", phone.local()), "n" + i, i));
        }
        phone.send(stream.toString());
        for (int i = 0; i < 500; i++) {
          SipMessage message = Peers.next(received.messages);
          assertThat(branchOf(message)).isEqualTo("z9hG4bKn" + i);
          assertThat(message.body()).hasSize(i);
        }
      }
      Peers.await("nothing held", () -> transport.counters().halfReadBytes() == 0);
    }

    @Test
    @DisplayName("RFC 3261 18.2.2: a response goes over the connection of its request")
    void answersOverTheSameConnection() throws IOException {
      var transport = started();
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send(options("SIP/2.0/TCP phone.invalid:9", "1"));
        SipMessage request = Peers.next(received.messages);
        assertThat(request.topVia().received()).contains(phone.local().ip());
        transport.send(ok(request), Peers.next(received.flows), failures::add);
        assertThat(branchOf(phone.message())).isEqualTo("z9hG4bK1");
        Peers.await("count", () -> transport.counters().sent(TransportProtocol.TCP) == 1);
      }
    }

    @Test
    @DisplayName("RFC 3261 18.2.2: if that is gone, over one to the port of sent-by")
    void answersOverAnotherConnectionIfThatIsGone() throws IOException {
      var transport = started();
      var hears = using(new TcpServer(v6));
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send(options("SIP/2.0/TCP phone.invalid:" + hears.endpoint().port(), "1"));
        SipMessage request = Peers.next(received.messages);
        phone.reset();
        Peers.await("end", () -> transport.counters().acceptedConnections() == 0);
        transport.send(ok(request), Peers.next(received.flows), failures::add);
        try (var back = hears.accept()) {
          assertThat(branchOf(back.message())).isEqualTo("z9hG4bK1");
        }
      }
    }

    @Test
    @DisplayName("RFC 5626 4.4.1: CRLFCRLF is answered with CRLF")
    void answersPings() throws IOException {
      var transport = started();
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send("\r\n\r\n");
        assertThat(phone.read(2)).isEqualTo(Peers.bytes("\r\n"));
        phone.send("\r\n\r\n" + options(over("TCP", phone.local()), "1") + "\r\n\r\n");
        assertThat(phone.read(4)).isEqualTo(Peers.bytes("\r\n\r\n"));
        assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK1");
        assertThat(transport.counters().keepAlives(TransportProtocol.TCP)).isEqualTo(3);
        for (byte octet : Peers.bytes("\r\n\r\n")) {
          phone.send(new byte[] {octet});
        }
        assertThat(phone.read(2)).isEqualTo(Peers.bytes("\r\n"));
      }
    }

    @Test
    void answersWhatIsMalformedAndEnds() throws IOException {
      var transport = started();
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send(
            options(over("TCP", phone.local()), "1")
                .replace("Content-Length: 0", "Content-Length: none"));
        var malformed = Peers.next(received.malformed);
        SipRequest answerable = malformed.answerable().orElseThrow();
        transport.send(
            SipResponse.to(answerable, 400).build(),
            Peers.next(received.malformedFlows),
            failures::add);
        assertThat(((SipResponse) phone.message()).status()).isEqualTo(400);
        phone.awaitEnd();
        Peers.await("count", () -> transport.counters().closed(Closed.MALFORMED) == 1);
      }
    }

    @Test
    void endsAConnectionThatSpeaksAnotherProtocol() throws IOException {
      var transport = started();
      try (var browser = Tcp.connect(tcpAddress(transport))) {
        browser.send("GET / HTTP/1.1\r\nHost: pbx.example\r\n\r\n");
        browser.awaitEnd();
        Peers.await("count", () -> transport.counters().closed(Closed.MALFORMED) == 1);
      }
    }

    @Test
    void endsAConnectionWithHeadersWithoutEnd() throws IOException {
      var transport = started();
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send("OPTIONS sip:a@b SIP/2.0\r\nX: " + "x".repeat(SipLimits.DEFAULT.headerBytes()));
        phone.awaitEnd();
        Peers.await("nothing held", () -> transport.counters().halfReadBytes() == 0);
        assertThat(transport.counters().closed(Closed.MALFORMED)).isOne();
      }
    }

    @Test
    void endsAHalfReadMessageInTime() throws IOException {
      var transport = withTcp(tcp -> tcp.withPatience(LONG, SHORT, LONG, LONG));
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send("OPTIONS sip:1008@pbx.example SIP/2.0\r\n");
        phone.awaitEnd();
        Peers.await("count", () -> transport.counters().closed(Closed.HALF_READ_TIME) == 1);
        assertThat(transport.counters().halfReadBytes()).isZero();
      }
    }

    @Test
    void boundsTheMemoryOfHalfReadMessages() throws IOException {
      var transport = withTcp(tcp -> tcp.withBytes(10_000, 1 << 20, 1 << 20));
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send("OPTIONS sip:a@b SIP/2.0\r\nX: " + "x".repeat(20_000));
        phone.awaitEnd();
        Peers.await("count", () -> transport.counters().closed(Closed.HALF_READ_BYTES) == 1);
        Peers.await("nothing held", () -> transport.counters().halfReadBytes() == 0);
      }
    }

    @Test
    void endsAConnectionWithoutAMessage() throws IOException {
      var transport = withTcp(tcp -> tcp.withPatience(SHORT, LONG, LONG, LONG));
      try (var silent = Tcp.connect(tcpAddress(transport))) {
        silent.trySend("\r\n\r\n");
        silent.awaitEnd();
        Peers.await("count", () -> transport.counters().closed(Closed.NO_MESSAGE) == 1);
      }
    }

    @Test
    void endsAnIdleConnection() throws IOException {
      var transport = withTcp(tcp -> tcp.withPatience(LONG, LONG, SHORT, LONG));
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.awaitEnd();
        Peers.await("count", () -> transport.counters().closed(Closed.IDLE) == 1);
      }
    }

    @Test
    void refusesConnectionsAboveTheLimit() throws IOException {
      var transport = withTcp(tcp -> tcp.withConnections(2, 100, 100));
      try (var first = Tcp.connect(tcpAddress(transport));
          var second = Tcp.connect(tcpAddress(transport))) {
        Peers.await("two", () -> transport.counters().acceptedConnections() == 2);
        Tcp.assertRefused(tcpAddress(transport));
        Peers.await("count", () -> transport.counters().dropped(Drop.CONNECTION_LIMIT) == 1);
        first.send(options(over("TCP", first.local()), "1"));
        assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK1");
        second.reset();
        Peers.await("one", () -> transport.counters().acceptedConnections() == 1);
        try (var fourth = Tcp.connect(tcpAddress(transport))) {
          fourth.send(options(over("TCP", fourth.local()), "4"));
          assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK4");
        }
      }
    }

    @Test
    void refusesConnectionsAboveTheLimitOfAPeer() throws IOException {
      var transport = withTcp(tcp -> tcp.withConnections(100, 1, 100));
      try (var first = Tcp.connect(tcpAddress(transport))) {
        Peers.await("one", () -> transport.counters().acceptedConnections() == 1);
        Tcp.assertRefused(tcpAddress(transport));
        Peers.await("count", () -> transport.counters().dropped(Drop.PEER_CONNECTION_LIMIT) == 1);
        first.send(options(over("TCP", first.local()), "1"));
        Peers.next(received.messages);
        assertThat(transport.counters().acceptedConnections()).isOne();
      }
      Peers.await("none", () -> transport.counters().acceptedConnections() == 0);
      try (var third = Tcp.connect(tcpAddress(transport))) {
        third.send(options(over("TCP", third.local()), "3"));
        assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK3");
      }
    }

    @Test
    void givesUpAPeerThatDoesNotRead() throws IOException {
      var transport = withTcp(tcp -> tcp.withBytes(1 << 20, 200_000, 100 << 20));
      try (var slow = Tcp.connectWithSmallWindow(tcpAddress(transport));
          var quick = Tcp.connect(tcpAddress(transport))) {
        slow.send(options(over("TCP", slow.local()), "slow"));
        Flow toSlow = Peers.next(received.flows);
        Peers.next(received.messages);
        var large = ours(transport, TransportProtocol.TCP, Method.MESSAGE, "large", 60_000);
        // The system's own buffers fill first.
        while (failures.isEmpty()) {
          transport.send(large, toSlow, failures::add);
          quick.send(options(over("TCP", quick.local()), "quick"));
          transport.send(
              ok(Peers.next(received.messages)), Peers.next(received.flows), failures::add);
          assertThat(branchOf(quick.message())).isEqualTo("z9hG4bKquick");
        }
        Peers.await("count", () -> transport.counters().closed(Closed.QUEUE_FULL) == 1);
        assertThat(Peers.next(failures).reason()).isIn(Reason.QUEUE_FULL, Reason.CONNECTION_LOST);
        Peers.await("nothing queued", () -> transport.counters().queuedBytes() == 0);
      }
    }

    @Test
    void givesUpAPeerThatHasStopped() throws IOException {
      var transport =
          withTcp(
              tcp ->
                  tcp.withBytes(1 << 20, 100 << 20, 1 << 30).withPatience(LONG, LONG, LONG, SHORT));
      try (var stuck = Tcp.connectWithSmallWindow(tcpAddress(transport))) {
        stuck.send(options(over("TCP", stuck.local()), "stuck"));
        Flow flow = Peers.next(received.flows);
        for (int i = 0; i < 500; i++) {
          transport.send(
              ours(transport, TransportProtocol.TCP, Method.MESSAGE, "n" + i, 60_000),
              flow,
              failures::add);
        }
        Peers.await("count", () -> transport.counters().closed(Closed.STALLED) == 1);
        assertThat(Peers.next(failures).reason()).isIn(Reason.QUEUE_FULL, Reason.CONNECTION_LOST);
        Peers.await("nothing queued", () -> transport.counters().queuedBytes() == 0);
        Peers.await(
            "each is sent or failed",
            () ->
                transport.counters().sent(TransportProtocol.TCP)
                        + transport.counters().failures(Reason.QUEUE_FULL)
                        + transport.counters().failures(Reason.CONNECTION_LOST)
                    == 500);
      }
    }
  }

  @Nested
  class OverTcpAsClient {

    @Test
    void usesOneConnectionForAll() throws IOException {
      var transport = started();
      var peer = using(new TcpServer(v6));
      var to = Destination.to(TransportProtocol.TCP, peer.endpoint());
      for (int i = 0; i < 20; i++) {
        var request = ours(transport, TransportProtocol.TCP, Method.OPTIONS, "n" + i, 0);
        Loop loop = loopsOf(transport).get(i % 2);
        loop.execute(() -> transport.send(request, to, failures::add));
      }
      try (var connection = peer.accept()) {
        var branches = new ArrayList<String>();
        for (int i = 0; i < 20; i++) {
          SipMessage request = connection.message();
          branches.add(branchOf(request));
          connection.send(ok(request).toBytes());
        }
        assertThat(branches).doesNotHaveDuplicates();
        for (int i = 0; i < 20; i++) {
          Peers.next(received.messages);
          Flow flow = Peers.next(received.flows);
          assertThat(flow.local()).isEqualTo(tcpAddress(transport));
          assertThat(flow.remote()).isEqualTo(peer.endpoint());
        }
        assertThat(peer.hasAnother()).isFalse();
        assertThat(transport.counters().openedConnections()).isOne();
      }
    }

    @Test
    void failsEachMessageOnceWhereNobodyListens() throws IOException {
      var transport = started();
      Endpoint nobody;
      try (var gone = new TcpServer(v6)) {
        nobody = gone.endpoint();
      }
      var to = Destination.to(TransportProtocol.TCP, nobody);
      for (int i = 0; i < 10; i++) {
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.OPTIONS, "n" + i, 0), to, failures::add);
      }
      for (int i = 0; i < 10; i++) {
        SendFailure failure = Peers.next(failures);
        assertThat(failure.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(failure.detail()).contains(nobody.toString());
      }
      assertThat(transport.counters().failures(Reason.UNREACHABLE)).isEqualTo(10);
      Peers.await("none", () -> transport.counters().openedConnections() == 0);
      assertThat(transport.counters().queuedBytes()).isZero();
      assertThat(failures).isEmpty();
    }

    @Test
    void givesUpConnectingInTime() throws IOException {
      var transport = withTcp(tcp -> tcp.withConnectTime(SHORT));
      try (var hole = new BlackHole(v6)) {
        var to = Destination.to(TransportProtocol.TCP, hole.endpoint());
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.OPTIONS, "1", 0), to, failures::add);
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.OPTIONS, "2", 0), to, failures::add);
        assertThat(Peers.next(failures).reason()).isEqualTo(Reason.CONNECT_TIMEOUT);
        assertThat(Peers.next(failures).reason()).isEqualTo(Reason.CONNECT_TIMEOUT);
        Peers.await("none", () -> transport.counters().openedConnections() == 0);
        assertThat(transport.counters().closed(Closed.NOT_OPENED)).isBetween(1L, 2L);
      }
    }

    @Test
    void tellsFailuresOnTheCallersLoop() throws IOException {
      var transport = started();
      var threads = new LinkedBlockingQueue<Boolean>();
      for (Loop loop : loopsOf(transport)) {
        loop.execute(
            () ->
                transport.send(
                    ours(transport, TransportProtocol.TCP, Method.OPTIONS, "1", 0),
                    Destination.to(TransportProtocol.TLS, tcpAddress(transport)),
                    failure -> threads.add(loop.inLoop())));
        assertThat(Peers.next(threads)).isTrue();
      }
    }

    @Test
    void failsAboveTheLimitOfOpenedConnections() throws IOException {
      var transport = withTcp(tcp -> tcp.withConnections(10, 10, 1));
      var one = using(new TcpServer(v6));
      var two = using(new TcpServer(v6));
      var request = ours(transport, TransportProtocol.TCP, Method.OPTIONS, "1", 0);
      transport.send(request, Destination.to(TransportProtocol.TCP, one.endpoint()), failures::add);
      try (var connection = one.accept()) {
        connection.message();
        transport.send(
            request, Destination.to(TransportProtocol.TCP, two.endpoint()), failures::add);
        assertThat(Peers.next(failures).reason()).isEqualTo(Reason.CONNECTION_LIMIT);
      }
    }

    @Test
    void connectsAgainAfterThePeerClosed() throws IOException {
      var transport = started();
      var peer = using(new TcpServer(v6));
      var to = Destination.to(TransportProtocol.TCP, peer.endpoint());
      for (int i = 0; i < 3; i++) {
        int round = i;
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.OPTIONS, "n" + i, 0), to, failures::add);
        try (var connection = peer.accept()) {
          assertThat(branchOf(connection.message())).isEqualTo("z9hG4bKn" + i);
        }
        Peers.await("end", () -> transport.counters().closed(Closed.BY_PEER) == round + 1);
      }
      assertThat(failures).isEmpty();
    }

    @Test
    void prefersTheFlowWhileItLives() throws IOException {
      var transport = started();
      var contact = using(new TcpServer(v6));
      Destination to;
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send(options(over("TCP", phone.local()), "1"));
        Flow flow = Peers.next(received.flows);
        to = Destination.to(TransportProtocol.TCP, contact.endpoint()).preferring(flow);
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.INVITE, "2", 0), to, failures::add);
        assertThat(branchOf(phone.message())).isEqualTo("z9hG4bK2");
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.INVITE, "3", 0), flow, failures::add);
        assertThat(branchOf(phone.message())).isEqualTo("z9hG4bK3");
      }
      Peers.await("end", () -> transport.counters().acceptedConnections() == 0);
      transport.send(
          ours(transport, TransportProtocol.TCP, Method.INVITE, "4", 0),
          to.flow().orElseThrow(),
          failures::add);
      assertThat(Peers.next(failures).reason()).isEqualTo(Reason.CONNECTION_LOST);
      transport.send(
          ours(transport, TransportProtocol.TCP, Method.INVITE, "5", 0), to, failures::add);
      try (var connection = contact.accept()) {
        assertThat(branchOf(connection.message())).isEqualTo("z9hG4bK5");
      }
    }

    @Test
    @DisplayName("RFC 5626 5.3: a flow that the peer opened is gone for good")
    void failsAtOnceOverAFlowOfThePeerThatIsGone() throws IOException {
      var transport = started();
      Flow flow;
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send(options(over("TCP", phone.local()), "1"));
        flow = Peers.next(received.flows);
      }
      Peers.await("end", () -> transport.counters().acceptedConnections() == 0);
      transport.send(
          ours(transport, TransportProtocol.TCP, Method.INVITE, "2", 0),
          Destination.over(flow),
          failures::add);
      assertThat(Peers.next(failures).reason()).isEqualTo(Reason.CONNECTION_LOST);
      assertThat(transport.counters().openedConnections()).isZero();
      assertThat(transport.counters().closed(Closed.NOT_OPENED)).isZero();
    }

    @Test
    void takesTheConnectionOfAnotherMemberForGone() throws IOException {
      var transport = started(1, settings -> settings.ofMember(member(1)));
      try (var phone = Tcp.connect(tcpAddress(transport))) {
        phone.send(options(over("TCP", phone.local()), "1"));
        Flow flow = Peers.next(received.flows);
        assertThat(flow.holder()).contains(member(1));
        for (Optional<Member> other : List.of(Optional.of(member(2)), Optional.<Member>empty())) {
          transport.send(
              ours(transport, TransportProtocol.TCP, Method.INVITE, "2", 0),
              flow.heldBy(other),
              failures::add);
          assertThat(Peers.next(failures).reason()).isEqualTo(Reason.CONNECTION_LOST);
        }
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.INVITE, "3", 0), flow, failures::add);
        assertThat(branchOf(phone.message())).isEqualTo("z9hG4bK3");
      }
    }

    @Test
    void opensAFlowOfOursAgain() throws IOException {
      var transport = started();
      var peer = using(new TcpServer(v6));
      var first = ours(transport, TransportProtocol.TCP, Method.OPTIONS, "1", 0);
      transport.send(first, Destination.to(TransportProtocol.TCP, peer.endpoint()), failures::add);
      Flow flow;
      try (var connection = peer.accept()) {
        connection.send(ok(connection.message()).toBytes());
        flow = Peers.next(received.flows);
      }
      Peers.await("end", () -> transport.counters().openedConnections() == 0);
      transport.send(
          ours(transport, TransportProtocol.TCP, Method.OPTIONS, "2", 0),
          Destination.over(flow),
          failures::add);
      try (var connection = peer.accept()) {
        assertThat(branchOf(connection.message())).isEqualTo("z9hG4bK2");
      }
      assertThat(failures).isEmpty();
    }

    @Test
    void namesWhatIsNotSupported() throws IOException {
      var transport = started();
      var request = ours(transport, TransportProtocol.UDP, Method.OPTIONS, "1", 0);
      transport.send(
          request, Destination.to(TransportProtocol.TLS, udpAddress(transport)), failures::add);
      SendFailure tls = Peers.next(failures);
      assertThat(tls.reason()).isEqualTo(Reason.NO_LISTENER);
      assertThat(tls.detail()).contains("tls").contains("not supported yet");
      transport.send(
          request,
          Destination.to(TransportProtocol.UDP, Endpoint.of(v6 ? "127.0.0.1" : "::1", 5060)),
          failures::add);
      assertThat(Peers.next(failures).detail()).contains("no listener");
    }
  }

  @Nested
  @DisplayName("RFC 3261 18.1.1: requests above the MTU limit")
  class LargeRequests {

    /** UDP and TCP on one port. */
    private TcpServer tcpBeside(Udp udp) {
      return using(new TcpServer(udp.endpoint()));
    }

    private Destination udp(Endpoint remote) {
      return Destination.to(TransportProtocol.UDP, remote);
    }

    @Test
    void goByTcpWithItsCancelAndAck() throws IOException {
      var transport = started();
      var udp = using(new Udp(v6));
      var tcp = tcpBeside(udp);
      var to = udp(udp.endpoint());
      transport.send(
          ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 2_000), to, failures::add);
      try (var connection = tcp.accept()) {
        SipMessage invite = connection.message();
        assertThat(invite.topVia().protocol()).contains(TransportProtocol.TCP);
        assertThat(invite.topVia().sentBy()).isEqualTo(tcpAddress(transport).toString());
        assertThat(branchOf(invite)).isEqualTo("z9hG4bK1");
        assertThat(invite.body()).hasSize(2_000);
        transport.send(
            ours(transport, TransportProtocol.UDP, Method.CANCEL, "1", 0), to, failures::add);
        SipMessage cancel = connection.message();
        assertThat(cancel.topVia()).isEqualTo(invite.topVia());
        var small = ours(transport, TransportProtocol.UDP, Method.INVITE, "2", 0);
        transport.send(small, to, failures::add);
        assertThat(udp.receive()).isEqualTo(small.toBytes());
        connection.send(ok(invite).toBytes());
        assertThat(branchOf(Peers.next(received.messages))).isEqualTo("z9hG4bK1");
        assertThat(transport.counters().switchedToTcp()).isEqualTo(2);
        assertThat(transport.counters().switchedBack()).isZero();
      }
    }

    @Test
    void goByUdpAsTheyWereWhereTcpIsRefused() throws IOException {
      var transport = started();
      var udp = using(new Udp(v6));
      var to = udp(udp.endpoint());
      var first = ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 2_000);
      var second = ours(transport, TransportProtocol.UDP, Method.INVITE, "2", 2_000);
      transport.send(first, to, failures::add);
      assertThat(udp.receive()).isEqualTo(first.toBytes());
      transport.send(second, to, failures::add);
      assertThat(udp.receive()).isEqualTo(second.toBytes());
      assertThat(transport.counters().switchedToTcp()).isOne();
      assertThat(transport.counters().switchedBack()).isOne();
      assertThat(failures).isEmpty();
    }

    @Test
    void goByUdpWhereTcpDoesNotAnswer() throws IOException {
      var transport =
          started(
              1,
              settings ->
                  settings.withLimits(
                      TransportLimits.DEFAULT.withSwitching(
                          new Switching(SHORT, 10, LONG, 10, LONG))));
      try (var hole = new BlackHole(v6);
          var udp = new DatagramSocket(NettyLoops.socketAddress(hole.endpoint()))) {
        udp.setSoTimeout((int) Peers.PATIENCE.toMillis());
        var request = ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 2_000);
        transport.send(request, udp(hole.endpoint()), failures::add);
        var packet = new DatagramPacket(new byte[65_536], 65_536);
        udp.receive(packet);
        assertThat(packet.getLength()).isEqualTo(request.size());
      }
    }

    @Test
    void goByUdpWithoutATcpListener() throws IOException {
      NettySipTransport transport =
          NettySipTransport.bind(
              loops(1),
              TransportSettings.of(List.of(Listener.on(TransportProtocol.UDP, anyPort()))));
      started = transport;
      transport.start(received);
      var udp = using(new Udp(v6));
      tcpBeside(udp);
      var request = ours(transport, TransportProtocol.UDP, Method.INVITE, "1", 2_000);
      transport.send(request, udp(udp.endpoint()), failures::add);
      assertThat(udp.receive()).isEqualTo(request.toBytes());
    }
  }

  @Nested
  class StartingAndStopping {

    @Test
    void namesListenerAddressAndCauseOfWhatIsInUse() throws IOException {
      var loops = loops(2);
      try (var udp = new Udp(v6);
          var tcp = new TcpServer(v6)) {
        var settings =
            TransportSettings.of(
                List.of(
                    Listener.on(TransportProtocol.UDP, udp.endpoint()),
                    Listener.on(TransportProtocol.TCP, tcp.endpoint())));
        assertThatThrownBy(() -> NettySipTransport.bind(loops, settings))
            .isInstanceOfSatisfying(
                ListenException.class,
                e -> {
                  assertThat(e.problems())
                      .containsExactly(
                          "cannot listen on udp "
                              + udp.endpoint()
                              + ": address already in use: another process has it",
                          "cannot listen on tcp "
                              + tcp.endpoint()
                              + ": address already in use: another process has it");
                  assertThat(e).hasMessageContaining(udp.endpoint().toString());
                });
      }
    }

    @Test
    void refusesAnAddressOfAnotherTransportOfOurs() throws IOException {
      var transport = started(2, settings -> settings.withUdpSockets(2));
      var settings =
          TransportSettings.of(List.of(Listener.on(TransportProtocol.UDP, udpAddress(transport))))
              .withUdpSockets(2);
      try (NettyLoops others = NettyLoops.start(2, io)) {
        assertThatThrownBy(() -> NettySipTransport.bind(others, settings))
            .isInstanceOf(ListenException.class)
            .hasMessageContaining("already in use");
      }
    }

    @Test
    void sharesAnAddressWhereThatIsMeant() throws IOException {
      assumeTrue(io == NettyLoops.Io.EPOLL, "SO_REUSEPORT");
      var transport = started(1, settings -> settings.withSharedAddress(true));
      var settings =
          TransportSettings.of(
                  List.of(
                      Listener.on(TransportProtocol.UDP, udpAddress(transport)),
                      Listener.on(TransportProtocol.TCP, tcpAddress(transport))))
              .withSharedAddress(true);
      try (NettyLoops others = NettyLoops.start(1, io);
          NettySipTransport other = NettySipTransport.bind(others, settings)) {
        assertThat(other.advertised(TransportProtocol.UDP, v6)).contains(udpAddress(transport));
      }
    }

    @Test
    void leavesNothingOpenWhenOneListenerFails() throws IOException {
      var loops = loops(1);
      Endpoint free;
      try (var probe = new TcpServer(v6)) {
        free = probe.endpoint();
      }
      try (var taken = new TcpServer(v6)) {
        var settings =
            TransportSettings.of(
                List.of(
                    Listener.on(TransportProtocol.TCP, free),
                    Listener.on(TransportProtocol.TCP, taken.endpoint())));
        assertThatThrownBy(() -> NettySipTransport.bind(loops, settings))
            .isInstanceOf(ListenException.class);
      }
      assertFree(free);
    }

    @Test
    void namesAnAddressThatIsNotOfThisHost() {
      var settings =
          TransportSettings.of(
              List.of(
                  Listener.on(
                      TransportProtocol.UDP,
                      Endpoint.of(v6 ? "2001:db8::7" : "192.0.2.7", 5_060))));
      var loops = loops(1);
      assertThatThrownBy(() -> NettySipTransport.bind(loops, settings))
          .isInstanceOf(ListenException.class)
          .hasMessageContaining("cannot listen on udp")
          .hasMessageContaining("cannot assign requested address");
    }

    @Test
    void namesATransportThatIsNotThereYet() {
      var loops = loops(1);
      assertThatThrownBy(
              () ->
                  NettySipTransport.bind(
                      loops,
                      TransportSettings.of(List.of(Listener.on(TransportProtocol.TLS, anyPort())))))
          .isInstanceOf(ListenException.class)
          .hasMessageContaining("tls")
          .hasMessageContaining("not supported yet");
    }

    @Test
    void findsAnAddressToTellWhereItIsBoundToAll() throws IOException {
      var any = Endpoint.of(v6 ? "::" : "0.0.0.0", 0);
      NettySipTransport transport =
          NettySipTransport.bind(
              loops(1), TransportSettings.of(List.of(Listener.on(TransportProtocol.UDP, any))));
      started = transport;
      transport.start(received);
      Endpoint told = udpAddress(transport);
      assertThat(told.ip().isUnspecified()).isFalse();
      assertThat(told.port()).isPositive();
      var phone = using(new Udp(v6));
      phone.send(
          Peers.bytes(options("SIP/2.0/UDP x.invalid", "1")), anyPort().withPort(told.port()));
      Peers.next(received.messages);
      assertThat(Peers.next(received.flows).local()).isEqualTo(told);
    }

    @Test
    void tellsTheAddressThatIsConfigured() throws IOException {
      var told = Endpoint.of(v6 ? "2001:db8::5" : "192.0.2.5", 0);
      NettySipTransport transport =
          NettySipTransport.bind(
              loops(1),
              TransportSettings.of(
                  List.of(new Listener(TransportProtocol.TCP, anyPort(), Optional.of(told)))));
      started = transport;
      Endpoint bound = transport.listeners().getFirst().bind();
      assertThat(tcpAddress(transport)).isEqualTo(told.withPort(bound.port()));
      assertThat(bound.ip()).isEqualTo(anyPort().ip());
    }

    @Test
    void warnsOnceWhereTheSystemGivesASmallerReceiveBuffer() throws IOException {
      var logger = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(Binding.class);
      var events = new ListAppender<ILoggingEvent>();
      events.start();
      logger.addAppender(events);
      try {
        bound(2, settings -> settings.withReceiveBuffer(1 << 30));
      } finally {
        logger.detachAppender(events);
      }
      assertThat(events.list).hasSize(1);
      var event = events.list.getFirst();
      assertThat(event.getMessage()).isEqualTo("transport.receive-buffer-small");
      assertThat(event.getKeyValuePairs())
          .extracting(pair -> pair.key)
          .containsExactly("listener", "asked_bytes", "got_bytes", "net.core.rmem_max");
      var values = event.getKeyValuePairs().stream().map(pair -> pair.value).toList();
      assertThat(values.get(1)).isEqualTo(1 << 30);
      assertThat((Integer) values.get(2)).isBetween(1, (1 << 30) - 1);
      if (Files.exists(Path.of("/proc/sys/net/core/rmem_max"))) {
        // What is given is what the limit says, so both were read right.
        assertThat(values.get(3)).isEqualTo(values.get(2).toString());
      }
    }

    @Test
    void keepsWhatComesBeforeTheStart() throws IOException {
      var transport = bound(1, settings -> settings);
      var phone = using(new Udp(v6));
      phone.send(Peers.bytes(options("SIP/2.0/UDP x.invalid", "1")), udpAddress(transport));
      try (var other = Tcp.connect(tcpAddress(transport))) {
        other.send(options("SIP/2.0/TCP x.invalid", "2"));
        transport.start(received);
        var branches =
            List.of(
                branchOf(Peers.next(received.messages)), branchOf(Peers.next(received.messages)));
        assertThat(branches).containsExactlyInAnyOrder("z9hG4bK1", "z9hG4bK2");
      }
    }

    /** Messages n0, n1 and so on; 70 kB of them are written at once, without waiting for more. */
    private void send(NettySipTransport transport, TcpServer peer, int count) {
      var to = Destination.to(TransportProtocol.TCP, peer.endpoint());
      for (int i = 0; i < count; i++) {
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.MESSAGE, "n" + i, 10_000),
            to,
            failures::add);
      }
    }

    @Test
    void writesWhatWasGivenToItBeforeItCloses() throws IOException {
      var transport = started();
      var peer = using(new TcpServer(v6));
      send(transport, peer, 50);
      try (var connection = peer.accept()) {
        var branches = new LinkedBlockingQueue<String>();
        Thread reader =
            Thread.ofVirtual()
                .start(
                    () -> {
                      for (int i = 0; i < 50; i++) {
                        branches.add(branchOf(connection.message()));
                      }
                    });
        assertThat(transport.close(Peers.PATIENCE)).isTrue();
        for (int i = 0; i < 50; i++) {
          assertThat(Peers.next(branches)).isEqualTo("z9hG4bKn" + i);
        }
        assertThat(reader.getName()).isEmpty();
        connection.awaitEnd();
      }
      assertThat(failures).isEmpty();
    }

    @Test
    void writesAllThatWaitedForAConnectionBeforeItCloses() throws IOException {
      var transport = started();
      var peer = using(new TcpServer(v6, 1));
      // Who has no room for a connection answers its SYN later only.
      var before = List.of(Tcp.connect(peer.endpoint()), Tcp.connect(peer.endpoint()));
      send(transport, peer, 20);
      var written = new LinkedBlockingQueue<Boolean>();
      Thread.ofVirtual().start(() -> written.add(transport.close(Peers.PATIENCE)));
      Peers.await("no listener", () -> !Tcp.isListening(tcpAddress(transport)));
      for (Tcp each : before) {
        peer.accept().close();
        each.close();
      }
      try (var connection = peer.accept()) {
        for (int i = 0; i < 20; i++) {
          assertThat(branchOf(connection.message())).isEqualTo("z9hG4bKn" + i);
        }
        connection.awaitEnd();
      }
      assertThat(Peers.next(written)).isTrue();
      assertThat(failures).isEmpty();
    }

    @Test
    void closesInTimeWhateverPeersDo() throws IOException {
      var transport = started();
      try (var stuck = Tcp.connectWithSmallWindow(tcpAddress(transport))) {
        stuck.send(options(over("TCP", stuck.local()), "1"));
        Flow flow = Peers.next(received.flows);
        for (int i = 0; i < 15; i++) {
          transport.send(
              ours(transport, TransportProtocol.TCP, Method.MESSAGE, "n" + i, 60_000),
              flow,
              failures::add);
        }
        transport.close(SHORT);
        Peers.await("ended", () -> transport.counters().acceptedConnections() == 0);
        transport.send(
            ours(transport, TransportProtocol.TCP, Method.MESSAGE, "late", 0), flow, failures::add);
        Peers.await("failure", () -> transport.counters().failures(Reason.CLOSED) > 0);
      }
      assertFree(tcpAddress(transport));
    }
  }

  /** A TCP port at which the system answers no attempt to connect: its backlog is full. */
  private static final class BlackHole implements AutoCloseable {
    private final ServerSocket socket;
    private final List<SocketChannel> fill = new ArrayList<>();

    BlackHole(boolean v6) throws IOException {
      socket = new ServerSocket();
      socket.bind(new InetSocketAddress(Peers.loopback(v6), 0), 1);
      for (int i = 0; i < 4; i++) {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.connect(socket.getLocalSocketAddress());
        fill.add(channel);
      }
      Peers.await(
          "the backlog to be full",
          () -> {
            int connected = 0;
            for (SocketChannel channel : fill) {
              try {
                connected += channel.finishConnect() ? 1 : 0;
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            }
            return connected >= 2;
          });
    }

    Endpoint endpoint() {
      return NettyLoops.endpoint((InetSocketAddress) socket.getLocalSocketAddress());
    }

    @Override
    public void close() throws IOException {
      for (SocketChannel channel : fill) {
        channel.close();
      }
      socket.close();
    }
  }
}
