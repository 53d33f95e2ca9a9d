package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The admin API of a running process, by curl and by its own command line. */
class AdminIT {

  private static final Duration COMMAND_WITHIN = Duration.ofSeconds(60);
  // Each command that is run meanwhile starts a virtual machine.
  private static final int LOOKED_AT_S = 240;
  private static final Pattern EXAMPLE = Pattern.compile("```sh\n(.*?)```", Pattern.DOTALL);
  private static final String PROTO = "proto/src/main/protobuf/sippbx/admin/v1/admin.proto";
  private static final Pattern METHOD =
      Pattern.compile("^\\| `(\\w+\\.\\w+)` \\| `(GET|POST) (\\S+)` \\|$", Pattern.MULTILINE);
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder = Path.of("");

  /** Of each test its own: calls of the one before may still be saying goodbye. */
  private EdgeProcess edge = notYet();

  @SuppressWarnings("NullAway") // Set before each test.
  private static EdgeProcess notYet() {
    return null;
  }

  @BeforeEach
  void start() {
    edge = EdgeProcess.standalone(folder);
  }

  @AfterEach
  void stop() {
    edge.close();
  }

  /** A command that has ended. */
  private record Ended(int status, String output) {}

  private Ended run(String... words) {
    return runAt(server(), words);
  }

  private Ended runAt(String server, String... words) {
    var arguments = new ArrayList<String>(List.of("admin", "--server", server));
    arguments.addAll(List.of(words));
    try (Child child = EdgeProcess.run(folder, arguments)) {
      return new Ended(child.awaitExit(COMMAND_WITHIN), child.output());
    }
  }

  private String server() {
    String address = edge.address("http");
    return "http://127.0.0.1" + address.substring(address.lastIndexOf(':'));
  }

  private JsonNode json(String... words) throws IOException {
    Ended ended = run(words);
    assertThat(ended.status()).as(ended.output()).isZero();
    return JSON.readTree(ended.output());
  }

  /** A call that is up, while it is looked at. */
  private interface Looking {
    void at(String callKey, String callee) throws IOException;
  }

  private void whileUp(Looking looking) throws IOException {
    String bob = "bob-admin";
    try (Sipp callee =
        Sipp.scenario("callee").within(LOOKED_AT_S).option("-d", "50").listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, bob, "127.0.0.1", callee);
      try (Sipp caller =
          Sipp.scenario("caller-stays")
              .within(LOOKED_AT_S)
              .with("callee", bob)
              .start(folder, edge.sip(Transport.UDP))) {
        JsonNode call =
            Await.until(
                "the call is up",
                Duration.ofSeconds(20),
                () -> edge.json("/api/v1/calls").path("calls").path(0),
                found -> found.path("state").asText().equals("CALL_STATE_UP"),
                caller::messages);
        looking.at(call.path("call_key").asText(), bob);
        caller.awaitSuccess();
        callee.awaitSuccess();
      }
      edge.awaitNothingLeft();
    }
  }

  @Test
  void showsACallAndHangsItUp() throws IOException {
    long before = edge.cdrs().size();
    whileUp(
        (key, callee) -> {
          assertThat(run("calls", "list").output()).contains(key, "up", callee);
          JsonNode call = json("calls", "show", key, "-o", "json");
          assertThat(call.path("callee").path("user").asText()).isEqualTo(callee);
          assertThat(call.path("dialogs")).hasSize(2);
          assertThat(call.path("media").path("streams")).hasSize(1);
          assertThat(call.path("media").path("held_revision").asInt()).isPositive();
          JsonNode line = json("ledger", "-o", "json").path("lines").path(0);
          assertThat(line.path("balanced").asBoolean()).as("%s", line).isTrue();
          assertThat(line.path("in_store").asInt()).isEqualTo(1);
          assertThat(line.path("sessions").asInt()).isEqualTo(1);
          assertThat(line.path("port_pairs_bound").asInt()).isEqualTo(2);
          Ended hungUp = run("calls", "hangup", key);
          assertThat(hungUp.status()).as(hungUp.output()).isZero();
        });
    JsonNode cdr =
        Await.until(
                "the record is written",
                Duration.ofSeconds(20),
                edge::cdrs,
                found -> found.size() == before + 1)
            .getLast();
    assertThat(cdr.path("termination_reason").asText()).isEqualTo("administrator");
    assertThat(edge.child().output()).contains("admin.change").contains("HangUpCall");
    assertThat(json("ledger", "-o", "json").path("balanced").asBoolean()).isTrue();
  }

  @Test
  void doesWhatItsPageSays() throws IOException {
    String page = Files.readString(Path.of("..", "docs", "admin-api.md"));
    List<String> examples =
        EXAMPLE.matcher(page).results().map((MatchResult each) -> each.group(1)).toList();
    assertThat(examples).hasSizeGreaterThanOrEqualTo(5);
    Path programs = Files.createDirectories(folder.resolve("bin"));
    Path program = programs.resolve("sip-pbx");
    Files.writeString(
        program,
        "#!/bin/sh\nexec '%s' \"$@\"\n".formatted(String.join("' '", EdgeProcess.program())));
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    whileUp(
        (key, callee) -> {
          String address =
              edge.json("/api/v1/registrations")
                  .path("registrations")
                  .path(0)
                  .path("address_of_record")
                  .asText();
          for (String example : examples) {
            String script =
                "set -eu\nexport PATH='%s':\"$PATH\" SIPPBX_SERVER=%s CALL='%s' ADDRESS='%s'\n"
                        .formatted(programs, server(), key, address)
                    + example.replace("http://127.0.0.1:8080", server());
            try (Child child = Child.start("example", folder, List.of("sh", "-c", script))) {
              assertThat(child.awaitExit(COMMAND_WITHIN.multipliedBy(4)))
                  .as("%s%n%s", example, child.output())
                  .isZero();
              assertThat(child.output()).as(example).isNotBlank();
            }
          }
        });
  }

  @Test
  void answersEachMethodOfItsPage() throws IOException {
    List<MatchResult> methods =
        METHOD.matcher(Files.readString(Path.of("..", "docs", "admin-api.md"))).results().toList();
    var named = new TreeSet<String>();
    methods.forEach(each -> named.add(each.group(1)));
    var there = new TreeSet<String>();
    String service = "";
    for (String line : Files.readAllLines(Path.of("..").resolve(PROTO))) {
      String[] words = line.strip().split("[ ({]+");
      if (words[0].equals("service")) {
        service = words[1];
      } else if (words[0].equals("rpc")) {
        there.add(service + "." + words[1]);
      }
    }
    assertThat(named).isEqualTo(there);
    whileUp(
        (key, callee) -> {
          String address =
              edge.json("/api/v1/registrations")
                  .path("registrations")
                  .path(0)
                  .path("address_of_record")
                  .asText();
          // What ends the call comes last.
          var ordered = new ArrayList<>(methods);
          ordered.sort(Comparator.comparing(each -> each.group(1).equals("Calls.HangUpCall")));
          for (MatchResult each : ordered) {
            String path =
                each.group(3)
                    .replace("{call_key}", key)
                    .replace("{address_of_record}", address)
                    .replace("{node_id}", "-");
            HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(server() + path)).timeout(COMMAND_WITHIN);
            if (each.group(2).equals("POST")) {
              request
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofString("{}"));
            }
            HttpResponse<String> response = send(request.build());
            assertThat(response.statusCode())
                .as("%s %s: %s", each.group(1), path, response.body())
                .isEqualTo(200);
            assertThat(JSON.readTree(response.body()).isObject()).isTrue();
          }
        });
  }

  private static HttpResponse<String> send(HttpRequest request) throws IOException {
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Test
  void drainsItselfUntilItIsUndrained() throws IOException {
    try {
      assertThat(run("control-nodes", "drain", "--wait", "10").output()).contains("draining");
      assertThat(edge.json("/ready").path("reason").asText()).isEqualTo("draining");
    } finally {
      assertThat(run("control-nodes", "undrain").status()).isZero();
    }
    assertThat(edge.json("/ready").path("status").asText()).isEqualTo("ready");
  }

  @Test
  void exitsWithWhatWentWrong() {
    Ended unknown = run("calls", "show", "a".repeat(26));
    assertThat(unknown.status()).isEqualTo(5);
    assertThat(unknown.output()).contains("call_key = aaa", "there is no such call");
    Ended wrong = run("calls", "show", "nonsense");
    assertThat(wrong.status()).isEqualTo(1);
    assertThat(wrong.output()).contains("call_key = nonsense: expected 26 characters");
    assertThat(run("calls").status()).isEqualTo(2);
    assertThat(run("calls", "list", "--limit", "0").output())
        .contains("--limit = 0: expected 1 to 100000");
    assertThat(run("registrations", "show", "nobody@example.org").status()).isEqualTo(5);
    assertThat(run("control-nodes", "drain", "another").status()).isEqualTo(5);
    assertThat(runAt("ftp://x", "calls", "list").status()).isEqualTo(2);
    // Port 9 of loopback: nobody listens.
    Ended away = runAt("http://127.0.0.1:9", "calls", "list");
    assertThat(away.status()).isEqualTo(3);
    assertThat(away.output()).contains("--server = http://127.0.0.1:9").contains("not reached");
  }
}
