package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transaction.CancelRequest;
import io.sippbx.control.sip.transaction.ClientTransactionId;
import io.sippbx.control.sip.transaction.Failure;
import io.sippbx.control.sip.transaction.ServerEnd;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLayer;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.control.sip.transaction.TransactionUser;
import io.sippbx.control.sip.transport.Peers.Tcp;
import io.sippbx.control.sip.transport.Peers.TcpServer;
import io.sippbx.control.sip.transport.Peers.Udp;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The transaction layer on the transport, over loopback sockets. */
@DisplayName("RFC 3261 18.1.1: the transaction of an INVITE that is too large for UDP")
class LargeInviteTest {

  private final NettyLoops loops = NettyLoops.start(1);
  private final Loop loop = loops.loops().all().getFirst();
  private final NettySipTransport transport = bind();
  private final User user = new User();
  private final TransactionLayer layer =
      new TransactionLayer(
          loop, transport, user, TimerSettings.RFC_3261, TransactionLimits.DEFAULT);
  private final Udp peer = new Udp(false);

  private NettySipTransport bind() {
    try {
      Endpoint any = Endpoint.of("127.0.0.1", 0);
      return NettySipTransport.bind(
          loops,
          TransportSettings.of(
                  List.of(
                      Listener.on(TransportProtocol.UDP, any),
                      Listener.on(TransportProtocol.TCP, any)))
              .withReceiveBuffer(65_536));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @BeforeEach
  void start() {
    transport.start(
        new SipReceiver() {
          @Override
          public void received(SipMessage message, Flow flow) {
            loop.execute(() -> layer.receive(message, flow));
          }

          @Override
          public void malformed(ParseResult.Malformed malformed, Flow flow) {
            throw new AssertionError(malformed);
          }
        });
  }

  @AfterEach
  void close() {
    peer.close();
    transport.close(Duration.ofSeconds(1));
    loops.close();
  }

  private SipRequest largeInvite() {
    Endpoint us = transport.advertised(TransportProtocol.UDP, false).orElseThrow();
    return SipRequest.builder(Method.INVITE, Uri.of("sip:bob@" + peer.endpoint()))
        .via(Via.of(TransportProtocol.UDP, us, new Branch("z9hG4bK-large")))
        .maxForwards(70)
        .from(NameAddr.of(Uri.of("sip:alice@pbx.example")).withTag(new Tag("a")))
        .to(NameAddr.of(Uri.of("sip:bob@pbx.example")))
        .callId(new CallId("large"))
        .cSeq(1)
        .body("text/plain", new byte[2_000])
        .build();
  }

  private void send(SipRequest request) {
    loop.execute(
        () -> layer.request(request, Destination.to(TransportProtocol.UDP, peer.endpoint())));
  }

  private static byte[] answer(SipMessage request, int status) {
    return SipResponse.to((SipRequest) request, status).toTag(new Tag("b")).build().toBytes();
  }

  @Test
  void takesItsCancelAndItsAckTheSameWay() {
    SipRequest invite = largeInvite();
    try (var server = new TcpServer(peer.endpoint())) {
      send(invite);
      try (Tcp connection = server.accept()) {
        SipMessage sent = connection.message();
        assertThat(sent.topVia().protocol()).contains(TransportProtocol.TCP);
        connection.send(answer(sent, 180));
        assertThat(user.next()).isEqualTo("INVITE 180");

        send(CancelRequest.of(invite));
        SipMessage cancel = connection.message();
        assertThat(cancel.cSeq().method()).isEqualTo(Method.CANCEL);
        assertThat(cancel.topVia()).isEqualTo(sent.topVia());
        connection.send(answer(cancel, 200));
        assertThat(user.next()).isEqualTo("CANCEL 200");

        connection.send(answer(sent, 487));
        SipMessage ack = connection.message();
        assertThat(ack.cSeq().method()).isEqualTo(Method.ACK);
        assertThat(ack.topVia()).isEqualTo(sent.topVia());
        assertThat(user.next()).isEqualTo("INVITE 487");
      }
    }
    assertThat(transport.counters().switchedBack()).isZero();
  }

  @Test
  void goesByUdpInEverythingWhereTcpIsRefused() {
    SipRequest invite = largeInvite();
    send(invite);
    SipMessage sent = Peers.parse(Peers.text(peer.receive()));
    assertThat(sent.topVia()).isEqualTo(invite.topVia());
    Endpoint us = transport.advertised(TransportProtocol.UDP, false).orElseThrow();
    peer.send(answer(sent, 180), us);
    assertThat(user.next()).isEqualTo("INVITE 180");

    send(CancelRequest.of(invite));
    SipMessage cancel = Peers.parse(Peers.text(peer.receive()));
    assertThat(cancel.topVia()).isEqualTo(invite.topVia());
    peer.send(answer(cancel, 200), us);
    assertThat(user.next()).isEqualTo("CANCEL 200");

    peer.send(answer(sent, 487), us);
    SipMessage ack = Peers.parse(Peers.text(peer.receive()));
    assertThat(ack.cSeq().method()).isEqualTo(Method.ACK);
    assertThat(ack.topVia()).isEqualTo(invite.topVia());
    assertThat(user.next()).isEqualTo("INVITE 487");
    assertThat(transport.counters().switchedBack()).isOne();
  }

  /** Writes down the responses that were matched. */
  private static final class User implements TransactionUser {
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    String next() {
      return Peers.next(heard);
    }

    @Override
    public void response(ClientTransactionId id, SipResponse response, Flow flow) {
      heard.add(id.method() + " " + response.status());
    }

    @Override
    public void failed(ClientTransactionId id, Failure failure) {
      heard.add(id.method() + " " + failure);
    }

    @Override
    public void strayResponse(SipResponse response, Flow flow) {
      heard.add("stray " + response.status());
    }

    @Override
    public void request(ServerTransactionId id, SipRequest request, Flow flow) {
      heard.add("request " + id);
    }

    @Override
    public void cancel(
        ServerTransactionId id,
        SipRequest cancel,
        Flow flow,
        Optional<ServerTransactionId> invite) {
      heard.add("request " + id);
    }

    @Override
    public void ack(SipRequest ack, Flow flow) {
      heard.add("ack");
    }

    @Override
    public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {
      heard.add("end " + id);
    }

    @Override
    public void responseNotSent(ServerTransactionId id, SendFailure failure) {
      heard.add("not sent " + id);
    }

    @Override
    public void refused(SipRequest request, Flow flow) {
      heard.add("refused");
    }
  }
}
