package io.sippbx.control.sip.locate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.epoll.Epoll;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.locate.Dns.Answer;
import io.sippbx.control.sip.locate.Dns.Data;
import io.sippbx.control.sip.locate.Dns.Kind;
import io.sippbx.control.sip.locate.Dns.Question;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(NettyLoops.Io.class)
class NettyDnsTest {

  private static final int TTL_SECONDS = 77;

  private final NameServer server = new NameServer();
  private final NettyLoops loops;
  private final Loop own;
  private final NettyDns dns;

  NettyDnsTest(NettyLoops.Io io) {
    assumeTrue(io != NettyLoops.Io.EPOLL || Epoll.isAvailable(), "epoll");
    loops = NettyLoops.start(2, io);
    own = loops.loops().all().getFirst();
    dns = NettyDns.open(loops, own, List.of(server.endpoint()), Duration.ofMillis(200));
  }

  @AfterEach
  void closesAll() {
    dns.close();
    loops.close();
    server.close();
  }

  private Answer ask(Kind kind, String name) {
    var answers = new LinkedBlockingQueue<Answer>();
    own.execute(
        () ->
            dns.ask(
                new Question(kind, name),
                answer -> {
                  assertThat(own.inLoop()).isTrue();
                  answers.add(answer);
                }));
    return next(answers);
  }

  private static <T> T next(LinkedBlockingQueue<T> queue) {
    try {
      T value = queue.poll(30, TimeUnit.SECONDS);
      assertThat(value).isNotNull();
      return value;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Test
  void readsRecordsOfEveryKind() {
    server.has(1, "pbx.example", ip("192.0.2.1"));
    server.has(28, "pbx.example", ip("2001:db8::1"));
    server.has(
        33,
        "_sip._udp.pbx.example",
        bytes(0, 10, 0, 20, 5070 >> 8, 5070 & 255),
        name("Host.Example"));
    server.has(
        35,
        "pbx.example",
        bytes(0, 90, 0, 50),
        text("s"),
        text("SIP+D2U"),
        text(""),
        name("_sip._udp.pbx.example"));
    Duration ttl = Duration.ofSeconds(TTL_SECONDS);
    assertThat(ask(Kind.A, "pbx.example"))
        .isEqualTo(new Answer.Records(List.of(new Data.Address(IpAddress.of("192.0.2.1"))), ttl));
    assertThat(ask(Kind.AAAA, "pbx.example"))
        .isEqualTo(new Answer.Records(List.of(new Data.Address(IpAddress.of("2001:db8::1"))), ttl));
    assertThat(ask(Kind.SRV, "_sip._udp.pbx.example"))
        .isEqualTo(new Answer.Records(List.of(new Data.Srv(10, 20, 5070, "host.example")), ttl));
    assertThat(ask(Kind.NAPTR, "pbx.example"))
        .isEqualTo(
            new Answer.Records(
                List.of(new Data.Naptr(90, 50, "s", "SIP+D2U", "_sip._udp.pbx.example")), ttl));
  }

  @Test
  void readsTheDotOfNoService() {
    server.has(33, "_sip._udp.none.example", bytes(0, 0, 0, 0, 0, 0), bytes(0));
    assertThat(((Answer.Records) ask(Kind.SRV, "_sip._udp.none.example")).records())
        .containsExactly(new Data.Srv(0, 0, 0, ""));
  }

  @Test
  void tellsThatThereIsNothing() {
    assertThat(ask(Kind.A, "nobody.example")).isEqualTo(new Answer.None());
    assertThat(ask(Kind.SRV, "_sip._udp.nobody.example")).isEqualTo(new Answer.None());
    assertThat(ask(Kind.A, "x".repeat(64) + ".example")).isEqualTo(new Answer.None());
  }

  @Test
  void takesNamesOfTheHostsFileFirst() throws IOException {
    String line =
        Files.readAllLines(Path.of("/etc/hosts"), StandardCharsets.UTF_8).stream()
            .filter(each -> each.startsWith("127."))
            .findFirst()
            .orElse("");
    assumeTrue(!line.isEmpty(), "a hosts file that names an IPv4 loopback address");
    String[] words = line.trim().split("\\s+", -1);
    server.has(1, words[1], ip("192.0.2.1"));
    assertThat(ask(Kind.A, words[1].toLowerCase(Locale.ROOT)))
        .isInstanceOfSatisfying(
            Answer.Records.class,
            found ->
                assertThat(found.records()).contains(new Data.Address(IpAddress.of(words[0]))));
  }

  @Test
  void tellsWhatFailed() {
    server.fail("broken.example");
    assertThat(ask(Kind.SRV, "broken.example"))
        .isInstanceOfSatisfying(
            Answer.Failed.class, failed -> assertThat(failed.timeout()).isFalse());
    server.ignore("silent.example");
    assertThat(ask(Kind.A, "silent.example"))
        .isInstanceOfSatisfying(
            Answer.Failed.class, failed -> assertThat(failed.timeout()).isTrue());
  }

  @Test
  void survivesAnswersThatAreCut() {
    server.has(33, "_sip._udp.cut.example", bytes(0, 1, 0));
    assertThat(ask(Kind.SRV, "_sip._udp.cut.example")).isInstanceOf(Answer.Failed.class);
    server.has(1, "cut.example", bytes(1, 2, 3));
    assertThat(ask(Kind.A, "cut.example")).isInstanceOf(Answer.Failed.class);
  }

  @Test
  void locatesThroughAll() {
    server.has(
        33, "_sip._udp.pbx.example", bytes(0, 1, 0, 1, 5070 >> 8, 5070 & 255), name("h.example"));
    server.has(1, "h.example", ip("192.0.2.5"));
    var locator =
        new Rfc3263Locator(
            own,
            dns,
            LocateSettings.of(List.of(TransportProtocol.UDP), List.of(AddressFamily.V4)),
            bound -> 0);
    var answers = new LinkedBlockingQueue<Location>();
    locator.locate(Uri.of("sip:1008@pbx.example"), loops.loops().all().getLast(), answers::add);
    assertThat(next(answers))
        .isEqualTo(
            new Location.Found(
                List.of(Destination.to(TransportProtocol.UDP, Endpoint.of("192.0.2.5", 5070)))));
  }

  private static byte[] bytes(int... octets) {
    byte[] out = new byte[octets.length];
    for (int i = 0; i < octets.length; i++) {
      out[i] = (byte) octets[i];
    }
    return out;
  }

  private static byte[] ip(String text) {
    return IpAddress.of(text).octets();
  }

  private static byte[] text(String text) {
    var out = new ByteArrayOutputStream();
    out.write(text.length());
    out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    return out.toByteArray();
  }

  private static byte[] name(String name) {
    var out = new ByteArrayOutputStream();
    for (String label : name.split("\\.", -1)) {
      out.writeBytes(text(label));
    }
    out.write(0);
    return out.toByteArray();
  }

  /** A name server on loopback with one record for each question; by RFC 1035 4. */
  private static final class NameServer implements AutoCloseable {
    private record Key(int type, String name) {}

    private final Map<Key, byte[]> records = new ConcurrentHashMap<>();
    private final Map<String, Integer> codes = new ConcurrentHashMap<>();
    private final DatagramSocket socket;

    NameServer() {
      try {
        socket = new DatagramSocket(NettyLoops.socketAddress(Endpoint.of("127.0.0.1", 0)));
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
      Thread.ofPlatform().daemon().name("name-server").start(this::serve);
    }

    Endpoint endpoint() {
      return Endpoint.of("127.0.0.1", socket.getLocalPort());
    }

    void has(int type, String name, byte[]... data) {
      var all = new ByteArrayOutputStream();
      for (byte[] each : data) {
        all.writeBytes(each);
      }
      records.put(new Key(type, name), all.toByteArray());
    }

    void fail(String name) {
      codes.put(name, 2);
    }

    void ignore(String name) {
      codes.put(name, -1);
    }

    private void serve() {
      var query = new DatagramPacket(new byte[1_500], 1_500);
      while (!socket.isClosed()) {
        try {
          query.setLength(1_500);
          socket.receive(query);
          byte[] answer = answer(query.getData());
          if (answer.length > 0) {
            socket.send(new DatagramPacket(answer, answer.length, query.getSocketAddress()));
          }
        } catch (IOException e) {
          return;
        }
      }
    }

    private byte[] answer(byte[] query) {
      var name = new StringBuilder();
      int at = 12;
      while (query[at] != 0) {
        name.append(name.isEmpty() ? "" : ".")
            .append(new String(query, at + 1, query[at], StandardCharsets.US_ASCII));
        at += query[at] + 1;
      }
      int type = (query[at + 1] & 255) << 8 | query[at + 2] & 255;
      int end = at + 5;
      byte[] data = records.get(new Key(type, name.toString()));
      int code = codes.getOrDefault(name.toString(), data == null ? 3 : 0);
      if (code < 0) {
        return new byte[0];
      }
      var out = new ByteArrayOutputStream();
      out.write(query, 0, 2);
      out.writeBytes(bytes(0x81, 0x80 | code, 0, 1, 0, data == null ? 0 : 1, 0, 0, 0, 0));
      out.write(query, 12, end - 12);
      if (data != null) {
        out.writeBytes(bytes(0xc0, 12, type >> 8, type & 255, 0, 1, 0, 0, 0, TTL_SECONDS));
        out.writeBytes(bytes(data.length >> 8, data.length & 255));
        out.writeBytes(data);
      }
      return out.toByteArray();
    }

    @Override
    public void close() {
      socket.close();
    }
  }
}
