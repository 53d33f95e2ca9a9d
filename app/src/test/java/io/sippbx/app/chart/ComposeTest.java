package io.sippbx.app.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.Role;
import io.sippbx.shared.config.SipConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** docker-compose.yml: each service's configuration, as its process reads it, and how they fit. */
class ComposeTest {

  private static final Path FILE = Path.of("..", "docker-compose.yml");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)(?::([-?])([^}]*))?}");

  private static final Map<String, String> ROLES =
      Map.of(
          "media-1",
          "media-plane",
          "media-2",
          "media-plane",
          "control-1",
          "control-plane",
          "control-2",
          "control-plane",
          "event-1",
          "event-plane");

  private static final List<String> CONTROLS = List.of("control-1", "control-2");

  private static final Map<String, String> SETTINGS =
      Map.of(
          "CLUSTER_SECRET",
          "0123456789abcdef",
          "SIP_USERS",
          "[{username: \"1004\", password: secret}]",
          "ADVERTISED_IP",
          "203.0.113.10");

  /** Anchors and merges resolved. */
  private static JsonNode services() throws IOException {
    Object tree = new Yaml().load(java.nio.file.Files.readString(FILE));
    return new YAMLMapper().valueToTree(tree).path("services");
  }

  private static Map<String, String> environment(JsonNode service, Map<String, String> settings) {
    var environment = new LinkedHashMap<String, String>();
    for (var entry : service.path("environment").properties()) {
      String text = entry.getValue().asText();
      environment.put(
          entry.getKey(),
          VARIABLE
              .matcher(text)
              .replaceAll(found -> Matcher.quoteReplacement(value(found, settings))));
    }
    return environment;
  }

  private static String value(MatchResult found, Map<String, String> settings) {
    String value = settings.get(found.group(1));
    if (value != null) {
      return value;
    }
    if (!"-".equals(found.group(2))) {
      throw new IllegalStateException(found.group(1) + " must be set");
    }
    return found.group(3);
  }

  private static Configuration load(String service, Map<String, String> settings)
      throws IOException {
    JsonNode node = services().path(service);
    Role role =
        switch (node.path("command").path(0).asText()) {
          case "control-plane" -> Role.CONTROL_PLANE;
          case "media-plane" -> Role.MEDIA_PLANE;
          case "event-plane" -> Role.EVENT_PLANE;
          default -> throw new AssertionError("no role of ours: " + node);
        };
    return switch (ConfigLoader.load(
        role, Optional.empty(), environment(node, settings), List.of())) {
      case ConfigResult.Refused refused -> throw new AssertionError(refused.report());
      case ConfigResult.Loaded loaded -> {
        assertThat(loaded.notices()).isEmpty();
        yield loaded.configuration();
      }
    };
  }

  @Test
  void hasTheNodesThatThereAre() throws IOException {
    var ours = new LinkedHashMap<String, String>();
    for (var entry : services().properties()) {
      if (entry.getValue().path("image").asText().startsWith("sip-pbx")) {
        ours.put(entry.getKey(), entry.getValue().path("command").path(0).asText());
        assertThat(entry.getValue().path("network_mode").asText()).isEqualTo("host");
        assertThat(entry.getValue().path("read_only").asBoolean()).isTrue();
      }
    }
    assertThat(ours).containsExactlyInAnyOrderEntriesOf(ROLES);
  }

  @Test
  void makesTheControlNodesFindTheMediaNodesOnLoopback() throws IOException {
    var listened = new ArrayList<HostPort>();
    for (String media : List.of("media-1", "media-2")) {
      listened.add(load(media, SETTINGS).media().listen());
    }
    for (String control : CONTROLS) {
      assertThat(load(control, SETTINGS).media().nodes()).hasSameElementsAs(listened);
    }
    assertThat(listened).allMatch(listen -> listen.toString().startsWith("127.0.0.1:"));
  }

  /** The kernel spreads flows over them, and either goes on with the calls of the other. */
  @Test
  void makesTheControlNodesOneAddressAndOneStore() throws IOException {
    Configuration one = load("control-1", SETTINGS);
    Configuration two = load("control-2", SETTINGS);
    assertThat(one.sip().addressMode()).isEqualTo(SipConfig.AddressMode.SHARED);
    assertThat(two.sip()).isEqualTo(one.sip());
    assertThat(two.redis()).isEqualTo(one.redis());
    assertThat(two.cluster().secret()).isEqualTo(one.cluster().secret());
    assertThat(two.cluster().nodeId()).isNotEqualTo(one.cluster().nodeId());
    for (Configuration each : List.of(one, two)) {
      assertThat(each.cluster().mesh().listen().toString()).isEqualTo("127.0.0.1:0");
    }
  }

  /** Who takes calls publishes what happens to them, and one node makes records of it. */
  @Test
  void leadsEventsThroughKafkaToOneFolder() throws IOException {
    JsonNode broker = services().path("kafka").path("environment");
    String server =
        broker.path("KAFKA_ADVERTISED_LISTENERS").asText().substring("PLAINTEXT://".length());
    assertThat(broker.path("KAFKA_LISTENERS").asText()).startsWith("PLAINTEXT://" + server + ",");
    for (String service : List.of("control-1", "control-2", "event-1")) {
      assertThat(load(service, SETTINGS).kafka().bootstrapServers())
          .extracting(HostPort::toString)
          .containsExactly(server);
      assertThat(
              services().path(service).path("depends_on").path("kafka").path("condition").asText())
          .isEqualTo("service_healthy");
    }
    JsonNode event = services().path("event-1");
    assertThat(event.path("command")).as("with no choice, so both").hasSize(1);
    assertThat(load("event-1", SETTINGS).cdr().enabled()).isTrue();
    assertThat(load("event-1", SETTINGS).events().isUsed()).isFalse();
    var withReceiver = new TreeMap<>(SETTINGS);
    withReceiver.put("WEBHOOK_URLS", "https://crm.example.com/hooks");
    assertThat(load("event-1", withReceiver).events().isUsed()).isTrue();
    assertThat(load("event-1", withReceiver).events().records().dir().toString())
        .startsWith("/var/log/sip-pbx/");
    assertThat(event.path("volumes").path(0).asText()).isEqualTo("cdr:/var/log/sip-pbx");
    assertThat(load("event-1", SETTINGS).cdr().outputDir().toString())
        .startsWith("/var/log/sip-pbx/");
    for (String control : CONTROLS) {
      assertThat(services().path(control).has("volumes")).isFalse();
    }
  }

  @Test
  void reachesTheRedisOfTheFile() throws IOException {
    var command = new ArrayList<String>();
    services().path("redis").path("command").forEach(word -> command.add(word.asText()));
    String uri =
        "redis://"
            + command.get(command.indexOf("--bind") + 1)
            + ":"
            + command.get(command.indexOf("--port") + 1);
    for (String control : CONTROLS) {
      assertThat(environment(services().path(control), SETTINGS))
          .containsEntry("SIP_PBX_REDIS_URI", uri);
      assertThat(
              services().path(control).path("depends_on").path("redis").path("condition").asText())
          .isEqualTo("service_healthy");
    }
    // Calls are state: none may be thrown away, and all outlast Redis' own restart.
    assertThat(String.join(" ", command)).contains("noeviction", "--appendonly yes");
  }

  /** Its sessions would end with it. */
  @Test
  void drainsAMediaNodeBeforeItIsToldToEnd() throws IOException {
    for (String media : List.of("media-1", "media-2")) {
      JsonNode command = services().path(media).path("pre_stop").path(0).path("command");
      assertThat(command.path(0).asText()).isEqualTo("/bin/sh");
      // Compose would put variables of its own in place of single dollars.
      String script = command.path(2).asText();
      assertThat(script.replace("$$", "")).doesNotContain("$");
      assertThat(script.replace("$$", "$"))
          .contains("http://127.0.0.1:$SIP_PBX_MONITORING_HEALTH_CHECK_PORT/api/v1")
          .contains("-X POST", "$api/media-nodes/-:drain")
          .contains("grep -q '\"sessions\":0,'");
      assertThat(load(media, SETTINGS).admin().token()).isEmpty();
    }
  }

  @Test
  void sharesThePortsOfTheHostOut() throws IOException {
    var tcp = new ArrayList<Integer>();
    var ranges = new ArrayList<int[]>();
    for (String service : ROLES.keySet()) {
      Configuration config = load(service, SETTINGS);
      assertThat(config.cluster().nodeId().text()).isEqualTo(service);
      tcp.add(config.monitoring().healthCheckPort());
      tcp.add(config.monitoring().prometheusPort());
      if (service.startsWith("media")) {
        tcp.add(config.media().listen().port());
        ranges.add(new int[] {config.media().portPool().start(), config.media().portPool().end()});
      }
    }
    // Which both have.
    tcp.add(load("control-1", SETTINGS).sip().listeners().getFirst().bind().port());
    assertThat(tcp).doesNotHaveDuplicates();
    assertThat(ranges).hasSize(2);
    assertThat(ranges.get(0)[1] < ranges.get(1)[0] || ranges.get(1)[1] < ranges.get(0)[0]).isTrue();
  }

  @Test
  void passesOnWhatIsSet() throws IOException {
    Configuration control = load("control-1", SETTINGS);
    assertThat(control.sip().authentication().users())
        .extracting(SipConfig.User::username)
        .containsExactly("1004");
    assertThat(control.sip().listeners())
        .allSatisfy(
            each ->
                assertThat(each.advertised().orElseThrow().toString())
                    .isEqualTo("203.0.113.10:5060"));
    assertThat(load("media-1", SETTINGS).media().addresses().advertised().orElseThrow().toString())
        .isEqualTo("203.0.113.10");
  }

  @Test
  void needsNothingButTheSecret() throws IOException {
    Configuration control = load("control-1", Map.of("CLUSTER_SECRET", "0123456789abcdef"));
    assertThat(control.sip().authentication().users()).isEmpty();
    assertThat(control.sip().listeners()).allMatch(each -> each.advertised().isEmpty());
    assertThat(load("media-2", Map.of()).media().addresses().advertised()).isEmpty();
  }
}
