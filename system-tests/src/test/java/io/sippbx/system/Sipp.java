package io.sippbx.system;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A run of sipp with a scenario of ours. Scenarios are templates: {@code %name%} in one is replaced
 * before it is given to sipp, for places where sipp takes no key of its own.
 */
final class Sipp implements AutoCloseable {

  /** What sipp speaks. */
  enum Transport {
    UDP("u1"),
    TCP("t1");

    private final String option;

    Transport(String option) {
      this.option = option;
    }
  }

  private static final Pattern TOLD =
      Pattern.compile("message received.*?\\Rm=audio (\\d+) ", Pattern.DOTALL);
  private static final Duration STARTS_WITHIN = Duration.ofSeconds(15);

  private final Child child;
  private final int port;
  private final int calls;
  private final Path statistics;
  private final Path messages;
  private final String scenario;

  private Sipp(Child child, int port, int calls, Path statistics, Path messages, String scenario) {
    this.child = child;
    this.port = port;
    this.calls = calls;
    this.statistics = statistics;
    this.messages = messages;
    this.scenario = scenario;
  }

  static Builder scenario(String name) {
    return new Builder(name, Optional.empty());
  }

  /** A scenario that stands in the test that plays it. */
  static Builder script(String name, Script script) {
    return new Builder(name, Optional.of(script.text()));
  }

  /** What is to be run. */
  static final class Builder {
    private final String scenario;
    private final Optional<String> given;
    private final Map<String, String> replaced = new LinkedHashMap<>();
    private final List<String> options = new ArrayList<>();
    private Transport transport = Transport.UDP;
    private String ip = "127.0.0.1";
    private int calls = 1;
    private int port = Ports.pair();
    private int seconds = 40;

    private Builder(String scenario, Optional<String> given) {
      this.scenario = scenario;
      this.given = given;
      with("caller", "alice").with("callee", "bob").with("rtp", "[media_port]");
    }

    Builder over(Transport transport) {
      this.transport = transport;
      return this;
    }

    Builder at(String ip) {
      this.ip = ip;
      return this;
    }

    Builder onPort(int port) {
      this.port = port;
      return this;
    }

    Builder calls(int calls) {
      this.calls = calls;
      return this;
    }

    /** Ends it as failed after so long. */
    Builder within(int seconds) {
      this.seconds = seconds;
      return this;
    }

    /** Replaces {@code %name%} in the scenario. */
    Builder with(String name, Object value) {
      replaced.put(name, String.valueOf(value));
      return this;
    }

    Builder option(String... words) {
      options.addAll(List.of(words));
      return this;
    }

    /** Starts it as one who calls or registers. */
    Sipp start(Path folder, String remote) {
      return start(folder, Optional.of(remote));
    }

    /** Starts it as one who is called, and waits until it listens. */
    Sipp listen(Path folder) {
      Sipp sipp = start(folder, Optional.empty());
      Await.until(
          "sipp listens on " + port + "\n" + sipp.child.tail(),
          STARTS_WITHIN,
          () -> !sipp.child.isAlive() || Ports.isListening(port, transport == Transport.TCP),
          isThere -> isThere);
      return sipp;
    }

    /** Runs it to its end and demands that every call was as the scenario says. */
    Sipp succeed(Path folder, String remote) {
      try (Sipp sipp = start(folder, remote)) {
        sipp.awaitSuccess();
        return sipp;
      }
    }

    private Sipp start(Path folder, Optional<String> remote) {
      try {
        Path own = Files.createTempDirectory(folder, "sipp-" + scenario + "-");
        Path file = own.resolve(scenario + ".xml");
        Files.writeString(file, text());
        Path statistics = own.resolve("statistics.csv");
        Path messages = own.resolve("messages.log");
        var command = new ArrayList<String>();
        command.add(Tool.SIPP.path());
        remote.ifPresent(command::add);
        command.addAll(List.of("-sf", file.toString(), "-t", transport.option, "-i", ip));
        command.addAll(List.of("-p", Integer.toString(port), "-m", Integer.toString(calls)));
        command.addAll(List.of("-mi", ip, "-mp", Integer.toString(Ports.range(4))));
        command.addAll(List.of("-nostdin", "-timeout", seconds + "s", "-timeout_error"));
        command.addAll(List.of("-trace_stat", "-stf", statistics.toString(), "-fd", "1"));
        command.addAll(List.of("-trace_msg", "-message_file", messages.toString()));
        command.addAll(List.of("-trace_err", "-error_file", own.resolve("errors.log").toString()));
        command.addAll(options);
        Child child = Child.start("sipp " + scenario, own, command);
        return new Sipp(child, port, calls, statistics, messages, scenario);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private String text() throws IOException {
      String text = given.isPresent() ? given.get() : fromFile();
      for (Map.Entry<String, String> each : replaced.entrySet()) {
        text = text.replace("%" + each.getKey() + "%", each.getValue());
      }
      return text;
    }

    private String fromFile() throws IOException {
      try (InputStream in = Sipp.class.getResourceAsStream("/sipp/" + scenario + ".xml")) {
        if (in == null) {
          throw new IllegalArgumentException("no scenario " + scenario);
        }
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
      }
    }
  }

  /** The SIP port of its own. */
  int port() {
    return port;
  }

  Child child() {
    return child;
  }

  /** Every message sent and received so far, as sipp wrote them down. */
  String messages() {
    try {
      return Files.exists(messages) ? Files.readString(messages, StandardCharsets.ISO_8859_1) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The port of the relay that it was told first; waits until it was told one. */
  int relayPort() {
    return Await.until(
        scenario + " is told where to send media",
        Duration.ofSeconds(15),
        () ->
            TOLD.matcher(messages())
                .results()
                .findFirst()
                .map(found -> Integer.parseInt(found.group(1)))
                .orElse(0),
        port -> port != 0,
        this::account);
  }

  /** The port of the relay that it was told after the first, and so on; waits until it was. */
  int relayPort(int told) {
    return Await.until(
        scenario + " is told for the " + told + "th time where to send media",
        Duration.ofSeconds(30),
        () ->
            TOLD.matcher(messages())
                .results()
                .map(found -> Integer.parseInt(found.group(1)))
                .distinct()
                .skip(told - 1L)
                .findFirst()
                .orElse(0),
        port -> port != 0,
        this::account);
  }

  /** The Call-ID of its first call. */
  String callId() {
    return messages()
        .lines()
        .filter(line -> line.startsWith("Call-ID: "))
        .map(line -> line.substring("Call-ID: ".length()).strip())
        .findFirst()
        .orElseThrow(() -> new AssertionError("sipp " + scenario + " sent nothing"));
  }

  /** Waits for its end: all calls made, none failed. It ends with 0 when it made none, too. */
  void awaitSuccess() {
    int exit = child.awaitExit(Duration.ofSeconds(90));
    long successful = counted("SuccessfulCall(C)");
    long failed = counted("FailedCall(C)");
    if (exit != 0 || successful != calls || failed != 0) {
      throw new AssertionError(
          "sipp %s ended with %d; %d calls succeeded and %d failed of %d; errors:\n%s\nmessages:\n%s"
              .formatted(scenario, exit, successful, failed, calls, errors(), shown(messages())));
    }
  }

  /** Waits for its end; whether it failed because it was asked to come again later. */
  boolean isPutOff() {
    return child.awaitExit(Duration.ofSeconds(90)) != 0 && messages().contains("SIP/2.0 503 ");
  }

  /** What became of it so far, for the one who looks for an error. */
  String account() {
    return "sipp %s (%s, port %d):\nerrors:\n%s\nmessages:\n%s\noutput:\n%s"
        .formatted(
            scenario,
            child.isAlive() ? "running" : "ended",
            port,
            errors(),
            shown(messages()),
            child.tail());
  }

  private static String shown(String text) {
    return text.length() <= 20_000 ? text : text.substring(text.length() - 20_000);
  }

  private String errors() {
    try {
      Path file = statistics.resolveSibling("errors.log");
      return Files.exists(file)
          ? shown(Files.readString(file, StandardCharsets.ISO_8859_1))
          : child.tail();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Calls that it has begun as the caller, as it writes down each second. */
  long begun() {
    return counted("OutgoingCall(C)");
  }

  /** A column in the last whole line of its statistics. */
  private long counted(String column) {
    try {
      List<String> lines = Files.exists(statistics) ? Files.readAllLines(statistics) : List.of();
      if (lines.size() < 2) {
        return 0;
      }
      List<String> names = List.of(lines.getFirst().split(";"));
      String[] last = lines.getLast().split(";");
      if (last.length < names.size()) {
        // It is being written.
        last = lines.get(lines.size() - 2).split(";");
      }
      return lines.size() == 2 && last[0].equals(names.getFirst())
          ? 0
          : Long.parseLong(last[names.indexOf(column)]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    child.close();
  }
}
