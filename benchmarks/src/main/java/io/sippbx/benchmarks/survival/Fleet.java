package io.sippbx.benchmarks.survival;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.benchmarks.phone.Phone;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Control nodes that share one address, media nodes and a Redis: processes of the built executable.
 * One thread starts, kills and asks.
 */
public final class Fleet implements AutoCloseable {

  private static final Duration STARTS_WITHIN = Duration.ofSeconds(90);
  private static final Duration ENDS_WITHIN = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String READY = "sip-pbx ready";
  // A tombstone goes by itself 64*T1 + 10 s after its call's end, or a minute later if it has an
  // owner
  // that does not take it out; what is to stay, stays for days.
  private static final long TOMBSTONE_MS = 120_000;

  /**
   * What is to be started.
   *
   * @param app the folder of the built executable
   * @param folder for logs, configuration and records
   * @param controls control nodes
   * @param medias media nodes
   * @param withReplica whether Redis has a replica and sentinels
   * @param namespaces how the names of network namespaces begin; empty: all on loopback
   */
  public record Plan(
      Path app, Path folder, int controls, int medias, boolean withReplica, String namespaces) {

    public Plan {
      if (controls < 1 || controls > 9 || medias < 1 || medias > 4) {
        throw new IllegalArgumentException(
            "Expected 1 to 9 control nodes and 1 to 4 media nodes, but got "
                + controls
                + " and "
                + medias);
      }
    }
  }

  /** One node. */
  private record Running(String name, ChildProcess process, Map<String, String> addresses) {}

  private final Plan plan;
  private final Hosts hosts;
  private final HttpClient http = HttpClient.newHttpClient();
  private final List<PortBlock> blocks = new ArrayList<>();
  private final List<Running> controls = new ArrayList<>();
  private final List<Running> medias = new ArrayList<>();
  private final List<Integer> mediaPorts = new ArrayList<>();
  private final RedisGroup redis;
  private int sipPort;

  private Fleet(Plan plan, Hosts hosts, PortBlock block, RedisGroup redis) {
    this.plan = plan;
    this.hosts = hosts;
    this.redis = redis;
    blocks.add(block);
  }

  /** Starts all, and waits until each is ready. */
  public static Fleet start(Plan plan) throws IOException {
    Files.createDirectories(plan.folder());
    Hosts hosts =
        plan.namespaces().isEmpty()
            ? new Hosts.Loopback("127.0.0.1")
            : new Hosts.Namespaces(plan.namespaces());
    PortBlock block = PortBlock.take();
    RedisGroup redis = RedisGroup.start(plan.folder(), hosts, block, plan.withReplica());
    var fleet = new Fleet(plan, hosts, block, redis);
    try {
      fleet.sipPort = block.next();
      for (int i = 1; i <= plan.medias(); i++) {
        fleet.blocks.add(PortBlock.take());
        fleet.mediaPorts.add(block.next());
        fleet.medias.add(fleet.launchMedia(i));
      }
      fleet.medias.replaceAll(fleet::ready);
      for (int i = 1; i <= plan.controls(); i++) {
        fleet.controls.add(fleet.launchControl(i));
      }
      fleet.controls.replaceAll(fleet::ready);
      fleet.balance();
      return fleet;
    } catch (IOException | IllegalStateException e) {
      fleet.close();
      throw e;
    }
  }

  private Running launchMedia(int number) throws IOException {
    PortBlock ports = blocks.get(number);
    String name = "media-" + number;
    Path folder = Files.createDirectories(plan.folder().resolve(name));
    Path file =
        Files.writeString(
            folder.resolve("sip-pbx.yaml"),
            """
            media:
              bind_ip: %1$s
              listen: "%1$s:%2$d"
              port_pool: {start: %3$d, end: %4$d}
              port_rest: 5
            cluster: {node_id: %5$s}
            monitoring: {bind_ip: %1$s, prometheus_port: 0, health_check_port: 0}
            """
                .formatted(
                    hosts.servers(),
                    mediaPorts.get(number - 1),
                    ports.first(),
                    ports.last(),
                    name));
    return launch(name, hosts.onServers(), "media-plane", file);
  }

  private Running launchControl(int number) throws IOException {
    String name = "control-" + number;
    Path folder = Files.createDirectories(plan.folder().resolve(name));
    Files.createDirectories(folder.resolve("cdr"));
    String media =
        String.join(
            ", ",
            mediaPorts.stream().map(port -> "\"" + hosts.servers() + ":" + port + "\"").toList());
    Path file =
        Files.writeString(
            folder.resolve("sip-pbx.yaml"),
            """
            sip:
              listen_ip: %1$s
              listen_port: %2$d
              address_mode: shared
              max_concurrent_calls: 10000
              users: [%9$s]
            media: {nodes: [%3$s]}
            redis: {uri: "%4$s"}
            cluster: {node_id: %5$s, secret: "the survival table, 0123456789", mesh_listen: "%8$s:0"}
            cdr: {output_dir: "%6$s"}
            standalone: {data_dir: "%7$s"}
            monitoring: {bind_ip: %8$s, prometheus_port: 0, health_check_port: 0}
            """
                .formatted(
                    hosts.shared(),
                    sipPort,
                    media,
                    redis.uri(),
                    name,
                    folder.resolve("cdr"),
                    folder.resolve("data"),
                    hosts.control(number),
                    users()));
    return launch(name, hosts.onControl(number), "control-plane", file);
  }

  /** Off loopback, nobody is served without a password. */
  private String users() {
    if (hosts instanceof Hosts.Loopback) {
      return "";
    }
    var all = new ArrayList<String>();
    for (int i = 0; i < Load.MOST; i++) {
      for (String end : List.of("-a", "-b")) {
        all.add("{username: " + Load.user(i) + end + ", password: " + Phone.PASSWORD + "}");
      }
    }
    return String.join(", ", all);
  }

  private Running launch(String name, List<String> within, String role, Path configuration)
      throws IOException {
    var command = new ArrayList<>(Executable.command(plan.app(), "-XX:+UseSerialGC"));
    command.addAll(List.of(role, "--config", configuration.toAbsolutePath().toString()));
    ChildProcess process =
        ChildProcess.start(name, plan.folder(), within, command, line -> line.startsWith(READY));
    return new Running(name, process, Map.of());
  }

  private Running ready(Running launched) {
    try {
      var addresses = new LinkedHashMap<String, String>();
      for (String word : launched.process().await(STARTS_WITHIN).split(" ")) {
        int equals = word.indexOf('=');
        if (equals > 0) {
          addresses.putIfAbsent(word.substring(0, equals), word.substring(equals + 1));
        }
      }
      return new Running(launched.name(), launched.process(), addresses);
    } catch (IOException e) {
      throw new IllegalStateException(e.getMessage(), e);
    }
  }

  private void balance() throws IOException {
    var living = new ArrayList<Integer>();
    for (int i = 0; i < controls.size(); i++) {
      if (controls.get(i).process().isAlive()) {
        living.add(i + 1);
      }
    }
    hosts.balance(living);
  }

  // --- victims --------------------------------------------------------------------------------

  /** Ends a control node with SIGKILL, and tells the balancer. */
  public void killControl(int number) throws IOException {
    ChildProcess process = controls.get(number - 1).process();
    process.kill();
    process.awaitEnd(ENDS_WITHIN);
    balance();
  }

  /** Ends a control node with SIGTERM; how long it took. The balancer hears of it at the end. */
  public Duration stopControl(int number) throws IOException {
    ChildProcess process = controls.get(number - 1).process();
    long sinceNs = System.nanoTime();
    process.terminate();
    boolean ended = process.awaitEnd(ENDS_WITHIN);
    Duration took = Duration.ofNanos(System.nanoTime() - sinceNs);
    if (!ended) {
      System.err.println("control-" + number + " did not end within " + ENDS_WITHIN);
      process.kill();
      process.awaitEnd(ENDS_WITHIN);
    }
    balance();
    return took;
  }

  /** Starts a control node again whose process has ended, and waits until it is ready. */
  public void startControl(int number) throws IOException {
    controls.set(number - 1, ready(launchControl(number)));
    balance();
  }

  /**
   * Ends a control node as a supervisor does: with SIGTERM, and with SIGKILL if it is still there
   * after {@code atMost}.
   *
   * @return its exit code: 137 if it was killed
   */
  public int stopControl(int number, Duration atMost) throws IOException {
    ChildProcess process = controls.get(number - 1).process();
    process.terminate();
    if (!process.awaitEnd(atMost)) {
      process.kill();
      process.awaitEnd(ENDS_WITHIN);
    }
    balance();
    return process.exitCode();
  }

  /** Sends a signal to a control node, as {@code STOP}. */
  public void signalControl(int number, String signal) throws IOException {
    controls.get(number - 1).process().signal(signal);
  }

  /** Sends a signal to all control nodes, one right after the other. */
  public void signalControls(String signal) throws IOException {
    ChildProcess.signal(signal, controls.stream().map(Running::process).toList());
  }

  /** Ends a media node with SIGKILL. */
  public void killMedia(int number) {
    ChildProcess process = medias.get(number - 1).process();
    process.kill();
    process.awaitEnd(ENDS_WITHIN);
  }

  /** Starts a media node again whose process has ended. */
  public void startMedia(int number) throws IOException {
    medias.set(number - 1, ready(launchMedia(number)));
  }

  /** Ends the primary of Redis with SIGKILL. */
  public void killRedisPrimary() {
    redis.killPrimary();
  }

  /** Stops Redis where it stands, or lets it go on. */
  public void pauseRedis(boolean pause) throws IOException {
    redis.signal(pause ? "STOP" : "CONT");
  }

  /** Ends the only server of Redis with SIGTERM; what it holds is on the disk. */
  public void stopRedis() {
    redis.stop();
  }

  /** Starts the only server of Redis again, with what it held. */
  public void startRedis() throws IOException {
    redis.startAgain();
  }

  // --- what is asked --------------------------------------------------------------------------

  /** The address that phones know. */
  public InetSocketAddress edge() {
    return new InetSocketAddress(hosts.shared(), sipPort);
  }

  /** Where a control node, from 1, answers over HTTP: host:port. */
  public String operations(int control) {
    return controls.get(control - 1).addresses().getOrDefault("http", "");
  }

  /** Where phones are to be. */
  public String phones() {
    return hosts.phones();
  }

  public int controls() {
    return controls.size();
  }

  /** The control node that a branch of the edge names, from 1; 0 if none. */
  public int controlOf(String branch) {
    for (int i = 0; i < controls.size(); i++) {
      if (branch.endsWith("." + controls.get(i).name())) {
        return i + 1;
      }
    }
    return 0;
  }

  String redisVersion() {
    return redis.version();
  }

  /** Records of calls that are no tombstones, which end by themselves. */
  public int records() throws IOException {
    int left = 0;
    for (String key : keys("*:call:*")) {
      left += isTombstone(key) ? 0 : 1;
    }
    return left;
  }

  /** Entries of the indexes in-flight, on-media and timers, but for those of tombstones. */
  public int indexed() throws IOException {
    int left = 0;
    for (String pattern : List.of("*:on-media:*", "*:timers")) {
      for (String key : keys(pattern)) {
        left += redis.ask("ZCARD", key) instanceof Long count ? count.intValue() : 0;
      }
    }
    for (String key : keys("*:inflight:*")) {
      String partition = key.substring(0, key.indexOf(':'));
      if (redis.ask("ZRANGE", key, "0", "-1") instanceof List<?> calls) {
        for (Object call : calls) {
          left += isTombstone(partition + ":call:" + call) ? 0 : 1;
        }
      }
    }
    return left;
  }

  /** One whose record is gone is none: nothing would take it out of an index. */
  private boolean isTombstone(String record) throws IOException {
    return redis.ask("PTTL", record) instanceof Long ms && ms >= 0 && ms <= TOMBSTONE_MS;
  }

  private List<String> keys(String pattern) throws IOException {
    var keys = new ArrayList<String>();
    if (redis.ask("KEYS", pattern) instanceof List<?> found) {
      found.forEach(key -> keys.add(String.valueOf(key)));
    }
    return keys;
  }

  /** Ports that the living media nodes have lent. */
  public int portsLent() throws IOException {
    int lent = 0;
    for (Running each : medias) {
      if (each.process().isAlive()) {
        lent += stats(each).path("port_pool").path("in_use").asInt();
      }
    }
    return lent;
  }

  /** Calls that the living control nodes hold. */
  public int activeCalls() throws IOException {
    int active = 0;
    for (Running each : controls) {
      if (each.process().isAlive()) {
        active += stats(each).path("active_calls").asInt();
      }
    }
    return active;
  }

  /** Whether a control node, from 1, says that it serves. */
  public boolean isReady(int control) throws IOException {
    return get(controls.get(control - 1), "http", "/ready").statusCode() == 200;
  }

  /** A sample of a control node's metrics, as {@code name} or {@code name{label="value"}}. */
  public double metric(int control, String sample) throws IOException {
    String page = get(controls.get(control - 1), "metrics", "/metrics").body();
    return page.lines()
        .filter(line -> line.startsWith(sample + " "))
        .findFirst()
        .map(line -> Double.parseDouble(line.substring(sample.length() + 1)))
        .orElseThrow(() -> new IOException("no sample " + sample + " in:\n" + page));
  }

  /** What a control node, from 1, has written so far. */
  public String log(int control) throws IOException {
    return Files.readString(controls.get(control - 1).process().log(), StandardCharsets.UTF_8);
  }

  private JsonNode stats(Running node) throws IOException {
    return JSON.readTree(get(node, "http", "/api/stats").body());
  }

  private HttpResponse<String> get(Running node, String server, String path) throws IOException {
    String address = node.addresses().getOrDefault(server, "");
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://" + address + path))
              .timeout(Duration.ofSeconds(10))
              .build();
      return http.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** How many call detail records there are of each caller's Call-ID. */
  public Map<String, Integer> cdrs() throws IOException {
    var found = new LinkedHashMap<String, Integer>();
    for (int i = 1; i <= plan.controls(); i++) {
      Path folder = plan.folder().resolve("control-" + i).resolve("cdr");
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(each -> each.toString().endsWith(".jsonl")).toList()) {
          String text = Files.readString(file, StandardCharsets.UTF_8);
          for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
            found.merge(JSON.readTree(line).path("call_id").asText(), 1, Integer::sum);
          }
        }
      }
    }
    return found;
  }

  /** What it is, for the head of a table. */
  String describe() {
    return String.format(
        Locale.ROOT,
        "%d control nodes (%s), %d media nodes, Redis %s%s",
        plan.controls(),
        hosts instanceof Hosts.Loopback
            ? "SO_REUSEPORT group on loopback"
            : "network namespaces, one address behind ECMP",
        plan.medias(),
        redis.version(),
        plan.withReplica() ? " with a replica and three sentinels" : "");
  }

  @Override
  public void close() {
    controls.forEach(each -> each.process().close());
    medias.forEach(each -> each.process().close());
    redis.close();
    for (PortBlock each : blocks) {
      try {
        each.close();
      } catch (IOException e) {
        // Its lock ends with this process.
      }
    }
  }
}
