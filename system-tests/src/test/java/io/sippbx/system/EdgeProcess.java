package io.sippbx.system;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.benchmarks.survival.Executable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A process of the built executable, on ports of its own. */
final class EdgeProcess implements AutoCloseable {

  private static final Duration STARTS_WITHIN = Duration.ofSeconds(60);
  private static final Duration SETTLES_WITHIN = Duration.ofSeconds(20);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private final Child child;
  private final Path folder;
  private final List<String> arguments;
  private final String banner;
  private final Rtp rtp;

  /** The ports of its pool. */
  private record Rtp(int first, int last) {}

  private EdgeProcess(Child child, Path folder, List<String> arguments, String banner, Rtp rtp) {
    this.child = child;
    this.folder = folder;
    this.arguments = List.copyOf(arguments);
    this.banner = banner;
    this.rtp = rtp;
  }

  /** All planes in one process; the lines stand in the section {@code sip} of its configuration. */
  static EdgeProcess standalone(Path folder, String... sip) {
    return start(folder, 160, List.of(sip), List.of(), List.of("standalone"));
  }

  /**
   * Starts and waits until it is ready.
   *
   * @param rtpPorts how many ports media get
   * @param arguments sub-command and options
   */
  static EdgeProcess start(
      Path folder, int rtpPorts, List<String> sip, List<String> media, List<String> arguments) {
    int firstPort = Ports.range(rtpPorts);
    var rtp = new Rtp(firstPort, firstPort + rtpPorts - 1);
    Path file = folder.resolve("sip-pbx.yaml");
    try {
      Files.createDirectories(folder.resolve("cdr"));
      Files.writeString(
          file,
          """
          sip:
            listen_ip: 127.0.0.1
            listen_port: %d
            max_concurrent_calls: 1000
          %s
          media:
            bind_ip: 127.0.0.1
            port_pool: {start: %d, end: %d}
          %s
          cdr: {output_dir: "%s"}
          standalone: {data_dir: "%s"}
          monitoring: {prometheus_port: 0, health_check_port: 0}
          """
              .formatted(
                  // Not an ephemeral one, which anything may have taken when it is started again.
                  Ports.pair(),
                  indented(sip),
                  rtp.first(),
                  rtp.last(),
                  indented(media),
                  folder.resolve("cdr"),
                  folder.resolve("data")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var all = new ArrayList<String>(arguments);
    all.add("--config");
    all.add(file.toString());
    return launch(folder, all, rtp, STARTS_WITHIN).demandReady();
  }

  /** Starts the same again, on the same SIP port if it has one, once this one has ended. */
  EdgeProcess again() {
    return again(STARTS_WITHIN).demandReady();
  }

  /**
   * The same for one whose needs come and go: it may wait so long, and be unready again at once.
   */
  EdgeProcess again(Duration within) {
    var all = new ArrayList<>(arguments);
    if (banner.contains(" udp=") && !all.contains("--port")) {
      String udp = address("udp");
      all.addAll(List.of("--port", udp.substring(udp.lastIndexOf(':') + 1)));
    }
    return launch(folder, all, rtp, within);
  }

  private static EdgeProcess launch(Path folder, List<String> all, Rtp rtp, Duration within) {
    Child child = run(folder, all);
    Optional<String> banner = child.awaitLine(line -> line.startsWith("sip-pbx ready"), within);
    if (banner.isEmpty()) {
      child.close();
      throw new AssertionError("sip-pbx did not start:\n" + child.tail());
    }
    return new EdgeProcess(child, folder, all, banner.get(), rtp);
  }

  private EdgeProcess demandReady() {
    int status = get("/ready").statusCode();
    if (status != 200) {
      close();
      throw new AssertionError("the banner said ready, but /ready said " + status);
    }
    return this;
  }

  private static String indented(List<String> lines) {
    return String.join("\n", lines.stream().map(line -> "  " + line).toList());
  }

  /** Runs the executable with any arguments, and waits for nothing. */
  static Child run(Path folder, List<String> arguments) {
    var command = new ArrayList<>(program());
    command.addAll(arguments);
    return Child.start("sip-pbx " + arguments.getFirst(), folder, command);
  }

  /** What the executable is started with, before its arguments. */
  static List<String> program() {
    Path app = Path.of(System.getProperty("sippbx.app", "../app/target")).toAbsolutePath();
    try {
      return Executable.command(app);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An address of the banner, as {@code 127.0.0.1:5060} for {@code udp}. */
  String address(String name) {
    for (String word : banner.split(" ")) {
      if (word.startsWith(name + "=")) {
        return word.substring(name.length() + 1);
      }
    }
    throw new AssertionError("no " + name + " in: " + banner);
  }

  /** Where SIP is spoken over this transport of sipp. */
  String sip(Sipp.Transport transport) {
    return sip(transport, false);
  }

  /** The same over IPv6, where it listens there. */
  String sip(Sipp.Transport transport, boolean v6) {
    String name = transport == Sipp.Transport.UDP ? "udp=" : "tcp=";
    for (String word : banner.split(" ")) {
      if (word.startsWith(name) && word.contains("[") == v6) {
        return word.substring(name.length());
      }
    }
    throw new AssertionError("no " + name + " of that family in: " + banner);
  }

  Child child() {
    return child;
  }

  /** What {@code /api/stats} says. */
  JsonNode stats() {
    return json("/api/stats");
  }

  /** What a path of the administration answers. */
  JsonNode json(String path) {
    try {
      return JSON.readTree(get(path).body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a scrape gets. */
  String metrics() {
    return get("metrics", "/metrics").body();
  }

  private HttpResponse<String> get(String path) {
    return get("http", path);
  }

  private HttpResponse<String> get(String server, String path) {
    String port = address(server).substring(address(server).lastIndexOf(':'));
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1" + port + path))
              .timeout(Duration.ofSeconds(10))
              .build();
      return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  int activeCalls() {
    return stats().path("active_calls").asInt(-1);
  }

  int portsInUse() {
    return stats().path("port_pool").path("in_use").asInt(-1);
  }

  /** Whether a port is of its pool, and so the session that has it is here. */
  boolean hasRtpPort(int port) {
    return rtp.first() <= port && port <= rtp.last();
  }

  /** Waits until it says that it holds so many media sessions. */
  void awaitSessions(int count) {
    Await.until(
        "it holds " + count + " media sessions",
        SETTLES_WITHIN,
        this::metrics,
        metrics -> metrics.contains("media_sessions " + count + ".0\n"));
  }

  /** Waits until no call is up and no port is lent. */
  void awaitNothingLeft() {
    Await.until(
        "no call and no port is left",
        SETTLES_WITHIN,
        this::stats,
        stats ->
            stats.path("active_calls").asInt(-1) == 0
                && stats.path("port_pool").path("in_use").asInt(-1) == 0);
  }

  /** All records so far, in the order in which they were written. */
  List<JsonNode> cdrs() {
    var records = new ArrayList<JsonNode>();
    try (Stream<Path> files = Files.list(folder.resolve("cdr"))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".jsonl")).sorted().toList()) {
        String text = Files.readString(file);
        // The last line may be half written.
        for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
          records.add(JSON.readTree(line));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return records;
  }

  /** The only record of the call with this Call-ID on the caller's side. */
  JsonNode cdr(String callerCallId) {
    List<JsonNode> found =
        Await.until(
            "there is a CDR of " + callerCallId,
            SETTLES_WITHIN,
            () ->
                cdrs().stream()
                    .filter(each -> each.path("call_id").asText().equals(callerCallId))
                    .toList(),
            records -> !records.isEmpty());
    if (found.size() != 1) {
      throw new AssertionError("expected one CDR of a call, but found " + found);
    }
    return found.getFirst();
  }

  @Override
  public void close() {
    child.close();
  }
}
