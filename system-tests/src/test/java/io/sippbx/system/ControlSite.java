package io.sippbx.system;

import io.sippbx.control.store.redis.RedisBinary;
import io.sippbx.control.store.redis.RedisStartException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A Redis and a media node, and the control nodes that a test starts beside them. */
final class ControlSite implements AutoCloseable {

  static final Duration WITHIN = Duration.ofSeconds(20);

  private final Path folder;
  private final List<Runnable> closings = new ArrayList<>();
  private final int redisPort = Ports.range(1);
  private final String mediaControl = "127.0.0.1:" + Ports.range(1);

  ControlSite(Path folder) throws IOException, RedisStartException {
    this.folder = folder;
    Path data = Files.createDirectories(folder.resolve("redis"));
    RedisBinary binary = RedisBinary.locate(data);
    Child redis =
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
                ""));
    closings.add(redis::close);
    Await.until("redis listens", WITHIN, () -> isListening(redisPort), yes -> yes);
    EdgeProcess media =
        EdgeProcess.start(
            Files.createDirectories(folder.resolve("media")),
            200,
            List.of(),
            List.of("listen: \"" + mediaControl + "\""),
            List.of("media-plane", "--set", "cluster.node_id=media-1"));
    closings.add(media::close);
  }

  private static boolean isListening(int port) {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** What a control node of this site is started with. */
  List<String> arguments(String name, String mode, int port) {
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

  /** Starts a control node, which ends with the site. */
  EdgeProcess control(String name, String mode, int port) throws IOException {
    EdgeProcess edge =
        EdgeProcess.start(
            Files.createDirectories(folder.resolve(name)),
            2,
            List.of(),
            List.of(),
            arguments(name, mode, port));
    closings.add(edge::close);
    return edge;
  }

  /** Waits until these are connected with each other. */
  static void awaitMesh(EdgeProcess... all) {
    for (EdgeProcess each : all) {
      Await.until(
          "they are connected",
          WITHIN,
          () -> metric(each, "sip_mesh_peers"),
          peers -> peers == all.length - 1);
    }
  }

  /** The sum of the samples of this name, with its labels; 0 if there is none. */
  static double metric(EdgeProcess edge, String name) {
    return edge.metrics()
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .sum();
  }

  @Override
  public void close() {
    closings.reversed().forEach(Runnable::run);
  }
}
