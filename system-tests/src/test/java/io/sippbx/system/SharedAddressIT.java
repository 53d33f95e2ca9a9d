package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.store.redis.RedisBinary;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two control nodes with one address: whichever a message reaches, it finds its call. */
class SharedAddressIT {

  private static final Duration WITHIN = Duration.ofSeconds(20);
  private static final int CALLERS = 20;

  @TempDir Path folder = Path.of("");

  private final List<AutoCloseable> open = new ArrayList<>();
  private final int redisPort = Ports.range(1);
  private final int sipPort = Ports.range(1);
  private final String mediaControl = "127.0.0.1:" + Ports.range(1);

  @BeforeEach
  void startsRedisAndMedia() throws Exception {
    Path data = Files.createDirectories(folder.resolve("redis"));
    RedisBinary binary = RedisBinary.locate(data);
    open.add(
        Child.start(
            "redis",
            data,
            List.of(
                binary.path().toAbsolutePath().toString(),
                "--port",
                Integer.toString(redisPort),
                "--bind",
                "127.0.0.1",
                "--save",
                "")));
    Await.until("redis listens", WITHIN, () -> isListening(redisPort), yes -> yes);
    open.add(
        EdgeProcess.start(
            Files.createDirectories(folder.resolve("media")),
            200,
            List.of(),
            List.of("listen: \"" + mediaControl + "\""),
            List.of("media-plane", "--set", "cluster.node_id=media-1")));
  }

  @AfterEach
  void closesAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  private static boolean isListening(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private List<String> arguments(String name, String mode, int port) {
    return List.of(
        "control-plane",
        "--media",
        mediaControl,
        "--set=cluster.node_id=" + name,
        "--set=cluster.secret=a secret of the shared address",
        "--set=cluster.mesh_listen=127.0.0.1:0",
        "--set=redis.uri=redis://127.0.0.1:" + redisPort,
        "--set=sip.address_mode=" + mode,
        "--set=sip.listen_port=" + port);
  }

  private EdgeProcess control(String name) throws IOException {
    EdgeProcess edge =
        EdgeProcess.start(
            Files.createDirectories(folder.resolve(name)),
            2,
            List.of(),
            List.of(),
            arguments(name, "shared", sipPort));
    open.add(edge);
    return edge;
  }

  private static double metric(EdgeProcess edge, String name) {
    return edge.metrics()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .sum();
  }

  @Test
  void callsAPhoneByTheConnectionThatOneOfThemHolds() throws Exception {
    EdgeProcess a = control("a");
    EdgeProcess b = control("b");
    for (EdgeProcess each : List.of(a, b)) {
      Await.until("they are connected", WITHIN, () -> metric(each, "sip_mesh_peers"), n -> n == 1);
    }
    String edge = "127.0.0.1:" + sipPort;
    try (var phone = new TcpPhone(edge, "bob")) {
      assertThat(phone.register()).startsWith("SIP/2.0 200 ");
      for (int i = 0; i < CALLERS; i++) {
        // Each from a port of its own, so that the kernel gives them to both.
        try (var caller = new RawSip(edge)) {
          caller.send(
              caller.request(
                  "INVITE",
                  "UDP",
                  "sip:bob@127.0.0.1",
                  "Contact: <sip:raw@" + caller.local() + ">\r\n"));
          phone.answer(invite(phone), "486 Busy Here", "");
          assertThat(lastAnswer(caller)).startsWith("SIP/2.0 486 ");
        }
      }
      double taken =
          metric(a, "sip_mesh_messages_total{outcome=\"taken\"}")
              + metric(b, "sip_mesh_messages_total{outcome=\"taken\"}");
      assertThat(taken).as("messages between the two").isGreaterThan(0);
      assertThat(metric(a, "sip_total_calls_total") + metric(a, "sip_total_calls")).isPositive();
      assertThat(metric(b, "sip_total_calls_total") + metric(b, "sip_total_calls")).isPositive();
    }
  }

  /** The next INVITE; ACKs are of earlier ones, and OPTIONS and the like do not come. */
  private static String invite(TcpPhone phone) throws IOException {
    while (true) {
      String request = phone.receive();
      if (request.startsWith("INVITE ")) {
        return request;
      }
    }
  }

  private static String lastAnswer(RawSip caller) {
    while (true) {
      Optional<String> answer = caller.receive(WITHIN);
      if (answer.isEmpty()) {
        return "nothing";
      }
      if (!answer.get().startsWith("SIP/2.0 1")) {
        return answer.get();
      }
    }
  }

  @Test
  void refusesANodeThatDoesNotShare() throws Exception {
    control("a");
    var command = new ArrayList<>(arguments("c", "node", 0));
    command.addAll(
        List.of(
            "--set=sip.listen_ip=127.0.0.1",
            "--set=cdr.enabled=false",
            "--set=monitoring.prometheus_port=0",
            "--set=monitoring.health_check_port=0"));
    try (Child other = EdgeProcess.run(folder, command)) {
      assertThat(other.awaitExit(Duration.ofSeconds(60))).isNotZero();
      assertThat(other.output())
          .contains("sip.address_mode = node: expected the same on all nodes", "but a has shared");
    }
  }
}
