package io.sippbx.control.sip.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A client layer against a server layer over a network that loses, repeats and reorders, with
 * transaction users that answer, ring, are cancelled, or never answer, as the seed says.
 */
@DisplayName("transaction layers over a lossy network")
class LossyNetworkSimulationTest {

  private static final int TRANSACTIONS = 30;
  private static final Endpoint CLIENT = Endpoint.of("192.0.2.1", 5060);
  private static final Endpoint SERVER = Endpoint.of("2001:db8::2", 5060);
  private static final Endpoint NOBODY = Endpoint.of("192.0.2.9", 5060);
  private static final TransactionLimits LIMITS =
      new TransactionLimits(1000, 1000, 0, Duration.ofMinutes(10));

  // Sent at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s.
  private static final int MOST_INVITES = 7;
  // Sent at 0, 0.5, 1.5, 3.5, 7.5 s, and each 4 s up to 31.5 s.
  private static final int MOST_OTHERS = 11;
  // A failure of INVITE by Timer G as often as that, and once for each copy of the INVITE.
  private static final int MOST_RESPONSES = MOST_OTHERS + 2 * MOST_INVITES;

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 150);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void everyTransactionHasOneResultOnEachSideAndLeavesNothing(long seed) {
    new Run(seed, Death.NONE).check();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void anotherNodeGoesOnFromTheRecordWhenTheClientDies(long seed) {
    new Run(seed, Death.CLIENT).check();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void anotherNodeGoesOnFromTheRecordWhenTheServerDies(long seed) {
    new Run(seed, Death.SERVER).check();
  }

  /** The seeds would show nothing if the network were kind, or all ended alike. */
  @Test
  void theSeedsReachEveryKindOfEnd() {
    var ends = new TreeSet<String>();
    int lost = 0;
    int repeated = 0;
    for (long seed = 1; seed <= 40; seed++) {
      var run = new Run(seed, Death.NONE);
      run.check();
      run.results.values().forEach(all -> ends.add(all.getFirst()));
      run.ends.values().forEach(all -> ends.add(all.getFirst()));
      lost += run.network.lost();
      repeated += run.network.repeated();
    }
    assertThat(ends)
        .contains("200", "486", "487", "TIMEOUT", "TRANSPORT", "DONE", "NO_ACK", "NO_ANSWER");
    assertThat(lost).isGreaterThan(500);
    assertThat(repeated).isGreaterThan(500);
  }

  private static <K, V> V recorded(Map<K, V> record, K key) {
    return Objects.requireNonNull(record.get(key));
  }

  /** Who dies at some moment between 2 and 40 s, when all transactions have begun. */
  private enum Death {
    NONE,
    CLIENT,
    SERVER
  }

  private static final class Run {

    final long seed;
    final Death death;
    final Random random;
    final VirtualLoops time;
    final VirtualNetwork network;
    final Client client;
    final Server server;

    /** What the client's user got as final results, by transaction. */
    final Map<ClientTransactionId, List<String>> results = new LinkedHashMap<>();

    /** What the server's user got as ends, by transaction. */
    final Map<ServerTransactionId, List<String>> ends = new LinkedHashMap<>();

    Run(long seed, Death death) {
      this.seed = seed;
      this.death = death;
      this.random = new Random(seed * 0x9e3779b97f4a7c15L + 1);
      this.time = VirtualLoops.shuffled(seed);
      int lostPercent = random.nextInt(60);
      this.network = new VirtualNetwork(seed, new VirtualNetwork.Faults(lostPercent, 20, 300));
      this.client = new Client(this);
      this.server = new Server(this);
    }

    void check() {
      String what = "seed " + seed;
      for (int i = 0; i < TRANSACTIONS; i++) {
        client.begin(i);
      }
      if (death != Death.NONE) {
        time.advance(Duration.ofMillis(2_000 + random.nextInt(38_000)));
        if (death == Death.CLIENT) {
          client.isTakenOver();
        } else {
          server.isTakenOver();
        }
      }
      time.runAll();
      assertThat(client.layer.counts().live().total()).as(what).isZero();
      assertThat(server.layer.counts().live().total()).as(what).isZero();
      assertThat(client.layer.counts().malformed()).as(what).isZero();
      assertThat(time.pending()).as(what).isZero();
      assertThat(results.size()).as(what).isGreaterThanOrEqualTo(TRANSACTIONS);
      results.forEach((id, all) -> checkResults(what + " " + id, all));
      // Copies are late by less than a transaction is kept after its end: none comes up twice.
      server.seen.forEach((id, times) -> assertThat(times).as(what + " " + id).isEqualTo(1));
      assertThat(ends.keySet()).as(what).isEqualTo(server.seen.keySet());
      ends.forEach((id, all) -> assertThat(all).as(what + " " + id).hasSize(1));
      client.host.sent().forEach((text, times) -> checkSends(what, text, times));
      server
          .host
          .sent()
          .forEach(
              (text, times) ->
                  assertThat(times).as(what + " " + text).isLessThanOrEqualTo(MOST_RESPONSES));
    }

    /** One final result; for an accepted INVITE the same again, as often as it arrived. */
    private static void checkResults(String what, List<String> all) {
      assertThat(all).as(what).isNotEmpty();
      if (!all.getFirst().equals("200") || !what.contains("INVITE")) {
        assertThat(all).as(what).hasSize(1);
      } else {
        assertThat(all).as(what).containsOnly("200");
      }
    }

    private static void checkSends(String what, String text, int times) {
      if (text.startsWith("INVITE ")) {
        assertThat(times).as(what + " " + text).isLessThanOrEqualTo(MOST_INVITES);
      } else if (text.startsWith("ACK ")) {
        assertThat(times).as(what + " " + text).isLessThanOrEqualTo(2 * MOST_RESPONSES);
      } else {
        assertThat(times).as(what + " " + text).isLessThanOrEqualTo(MOST_OTHERS);
      }
    }
  }

  /** Sends requests of all kinds, acknowledges each 2xx, and cancels some INVITEs that ring. */
  private static final class Client implements TransactionUser {

    final Run run;
    VirtualLoop loop;
    VirtualNetwork.Host host;
    TransactionLayer layer;
    final Map<ClientTransactionId, SipRequest> cancelWhenRinging = new LinkedHashMap<>();

    /** The record: what was sent, where to, and by when it must be answered. */
    final Map<ClientTransactionId, SipRequest> requests = new LinkedHashMap<>();

    final Map<ClientTransactionId, Destination> destinations = new LinkedHashMap<>();
    final Map<ClientTransactionId, Duration> deadlines = new LinkedHashMap<>();

    Client(Run run) {
      this.run = run;
      this.loop = run.time.loop("client");
      this.host = run.network.host(CLIENT, loop, this::receive);
      this.layer = new TransactionLayer(loop, host, this, TimerSettings.RFC_3261, LIMITS);
    }

    void isTakenOver() {
      loop.stop();
      loop = run.time.loop("other client");
      host = run.network.host(CLIENT, loop, this::receive);
      layer = new TransactionLayer(loop, host, this, TimerSettings.RFC_3261, LIMITS);
      loop.execute(
          () ->
              requests.forEach(
                  (id, request) -> {
                    if (!run.results.containsKey(id)) {
                      Duration remaining = recorded(deadlines, id).minus(run.time.elapsed());
                      layer.resumeClient(request, recorded(destinations, id), remaining);
                    }
                  }));
    }

    void receive(SipMessage message, Flow flow) {
      layer.receive(message, flow);
    }

    private void send(SipRequest request, Destination to) {
      ClientTransactionId id = layer.request(request, to);
      requests.put(id, request);
      destinations.put(id, to);
      deadlines.put(id, run.time.elapsed().plusSeconds(32));
    }

    void begin(int number) {
      Method method =
          switch (run.random.nextInt(5)) {
            case 0 -> Method.BYE;
            case 1 -> Method.REGISTER;
            default -> Method.INVITE;
          };
      TransportProtocol protocol =
          run.random.nextInt(4) == 0 ? TransportProtocol.TCP : TransportProtocol.UDP;
      Destination to = Destination.to(protocol, run.random.nextInt(20) == 0 ? NOBODY : SERVER);
      String branch = "z9hG4bK" + run.seed + "n" + number;
      Via via = Via.of(protocol, "client.example.com", OptionalInt.of(5060), new Branch(branch));
      SipRequest request = Sip.request(method, via.toString(), "", number + 1);
      ClientTransactionId id = ClientTransactionId.of(request).orElseThrow();
      if (method.equals(Method.INVITE) && run.random.nextInt(3) == 0) {
        cancelWhenRinging.put(id, request);
      }
      Duration delay = Duration.ofMillis(run.random.nextInt(2000));
      loop.schedule(delay, () -> send(request, to));
    }

    @Override
    public void response(ClientTransactionId id, SipResponse response, Flow flow) {
      if (response.isProvisional()) {
        SipRequest invite = cancelWhenRinging.remove(id);
        if (invite != null) {
          send(CancelRequest.of(invite), recorded(destinations, id));
        }
        if (id.method().equals(Method.INVITE)) {
          // From now on it is the user who says how long it may ring.
          deadlines.put(id, run.time.elapsed().plusSeconds(60));
        }
        return;
      }
      acknowledge(id, response);
      add(id, Integer.toString(response.status()));
    }

    private void acknowledge(ClientTransactionId id, SipResponse response) {
      if (response.isSuccess() && id.method().equals(Method.INVITE)) {
        SipRequest ack =
            Sip.request(
                Method.ACK,
                "SIP/2.0/UDP client.example.com:5060;branch=" + id.branch() + "ack",
                ";tag=" + response.toTag().orElseThrow(),
                response.cSeq().number());
        layer.sendStateless(ack, recorded(destinations, id));
      }
    }

    @Override
    public void failed(ClientTransactionId id, Failure failure) {
      add(id, failure.name());
    }

    private void add(ClientTransactionId id, String result) {
      run.results.computeIfAbsent(id, key -> new ArrayList<>()).add(result);
    }

    @Override
    public void strayResponse(SipResponse response, Flow flow) {
      acknowledge(ClientTransactionId.of(response).orElseThrow(), response);
    }

    @Override
    public void request(ServerTransactionId id, SipRequest request, Flow flow) {
      throw new AssertionError("No request goes to the client: " + request);
    }

    @Override
    public void cancel(
        ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> of) {
      throw new AssertionError("No request goes to the client: " + cancel);
    }

    @Override
    public void ack(SipRequest ack, Flow flow) {
      throw new AssertionError("No request goes to the client: " + ack);
    }

    @Override
    public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {
      throw new AssertionError("No server transaction is at the client: " + id);
    }

    @Override
    public void responseNotSent(ServerTransactionId id, SendFailure failure) {
      throw new AssertionError("No server transaction is at the client: " + id);
    }

    @Override
    public void refused(SipRequest request, Flow flow) {
      throw new AssertionError("No request goes to the client: " + request);
    }
  }

  /** Answers as the seed says: at once, after ringing, never; and repeats each 2xx to INVITE. */
  private static final class Server implements TransactionUser {

    final Run run;
    VirtualLoop loop;
    VirtualNetwork.Host host;
    TransactionLayer layer;
    final Map<ServerTransactionId, Integer> seen = new LinkedHashMap<>();

    /** The record: what came, from where, and what was answered last. */
    final Map<ServerTransactionId, SipRequest> requests = new LinkedHashMap<>();

    final Map<ServerTransactionId, Flow> flows = new LinkedHashMap<>();
    final Map<ServerTransactionId, SipResponse> lastResponses = new LinkedHashMap<>();
    final TreeSet<Long> acknowledged = new TreeSet<>();

    Server(Run run) {
      this.run = run;
      this.loop = run.time.loop("server");
      this.host = run.network.host(SERVER, loop, this::receive);
      this.layer = new TransactionLayer(loop, host, this, TimerSettings.RFC_3261, LIMITS);
    }

    void isTakenOver() {
      loop.stop();
      loop = run.time.loop("other server");
      host = run.network.host(SERVER, loop, this::receive);
      layer = new TransactionLayer(loop, host, this, TimerSettings.RFC_3261, LIMITS);
      loop.execute(() -> requests.forEach(this::resume));
    }

    private void resume(ServerTransactionId id, SipRequest request) {
      if (run.ends.containsKey(id)) {
        return;
      }
      SipResponse last = lastResponses.get(id);
      layer.resumeServer(id, recorded(flows, id), Optional.ofNullable(last));
      boolean invite = id.method().equals(Method.INVITE);
      if (last == null || last.isProvisional()) {
        after(
            run.random.nextInt(3_000),
            () -> respond(id, Sip.response(request, invite ? 486 : 200)));
      } else if (last.isSuccess() && invite) {
        repeat(id, last, Duration.ofMillis(500), Duration.ofSeconds(32));
      }
    }

    void receive(SipMessage message, Flow flow) {
      layer.receive(message, flow);
    }

    private boolean respond(ServerTransactionId id, SipResponse response) {
      boolean taken = layer.respond(id, response);
      if (taken) {
        lastResponses.put(id, response);
      }
      return taken;
    }

    private void note(ServerTransactionId id, SipRequest request, Flow flow) {
      seen.merge(id, 1, Integer::sum);
      requests.put(id, request);
      flows.put(id, flow);
    }

    @Override
    public void request(ServerTransactionId id, SipRequest request, Flow flow) {
      note(id, request, flow);
      boolean invite = request.method().equals(Method.INVITE);
      int afterMs = run.random.nextInt(invite ? 40_000 : 6_000);
      if (run.random.nextBoolean()) {
        afterMs /= 20;
      }
      if (run.random.nextBoolean()) {
        after(afterMs / 2, () -> respond(id, Sip.response(request, invite ? 180 : 100)));
      }
      switch (run.random.nextInt(8)) {
        case 0 -> {
          // Never answered.
        }
        case 1, 2 -> after(afterMs, () -> respond(id, Sip.response(request, 486)));
        default -> {
          SipResponse ok = Sip.response(request, 200);
          after(afterMs, () -> accept(id, ok, invite));
        }
      }
    }

    private void accept(ServerTransactionId id, SipResponse ok, boolean invite) {
      if (respond(id, ok) && invite) {
        repeat(id, ok, Duration.ofMillis(500), Duration.ofSeconds(32));
      }
    }

    /** 13.3.1.4, until the ACK or 64*T1. */
    private void repeat(
        ServerTransactionId id, SipResponse ok, Duration interval, Duration remaining) {
      if (remaining.compareTo(interval) <= 0) {
        return;
      }
      loop.schedule(
          interval,
          () -> {
            if (!acknowledged.contains(ok.cSeq().number())) {
              layer.respond(id, ok);
              Duration doubled = interval.multipliedBy(2);
              Duration next =
                  doubled.compareTo(Duration.ofSeconds(4)) < 0 ? doubled : Duration.ofSeconds(4);
              repeat(id, ok, next, remaining.minus(interval));
            }
          });
    }

    private void after(int delayMs, Runnable task) {
      loop.schedule(Duration.ofMillis(delayMs), task);
    }

    @Override
    public void cancel(
        ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> of) {
      note(id, cancel, flow);
      respond(id, Sip.response(cancel, of.isPresent() ? 200 : 481));
      of.ifPresent(invite -> respond(invite, Sip.response(recorded(requests, invite), 487)));
    }

    @Override
    public void ack(SipRequest ack, Flow flow) {
      acknowledged.add(ack.cSeq().number());
    }

    @Override
    public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {
      run.ends.computeIfAbsent(id, key -> new ArrayList<>()).add(end.name());
    }

    @Override
    public void response(ClientTransactionId id, SipResponse response, Flow flow) {
      throw new AssertionError("The server asks nothing: " + response);
    }

    @Override
    public void failed(ClientTransactionId id, Failure failure) {
      throw new AssertionError("The server asks nothing: " + id);
    }

    @Override
    public void strayResponse(SipResponse response, Flow flow) {
      throw new AssertionError("The server asks nothing: " + response);
    }

    @Override
    public void responseNotSent(ServerTransactionId id, SendFailure failure) {
      throw new AssertionError("The client can always be reached: " + id);
    }

    @Override
    public void refused(SipRequest request, Flow flow) {
      throw new AssertionError("There is room for all: " + request);
    }
  }
}
