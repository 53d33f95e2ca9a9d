package io.sippbx.shared.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.config.SipConfig.Credential;
import io.sippbx.shared.config.SipConfig.Listener;
import io.sippbx.shared.config.SipConfig.Transport;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {

  @TempDir Path folder;

  private Path file(String yaml) throws IOException {
    return Files.writeString(folder.resolve("pbx.yaml"), yaml);
  }

  private ConfigResult load(String yaml) throws IOException {
    return ConfigLoader.load(Role.STANDALONE, Optional.of(file(yaml)), Map.of(), List.of());
  }

  private static ConfigResult load(Map<String, String> environment, Assignment... assignments) {
    return ConfigLoader.load(Role.STANDALONE, Optional.empty(), environment, List.of(assignments));
  }

  private static Configuration loaded(ConfigResult result) {
    return switch (result) {
      case ConfigResult.Loaded loaded -> loaded.configuration();
      case ConfigResult.Refused refused -> throw new AssertionError(refused.report());
    };
  }

  /** The problems with the place of the file left out. */
  private List<String> problems(ConfigResult result) {
    return switch (result) {
      case ConfigResult.Loaded loaded -> throw new AssertionError("loaded: " + loaded);
      case ConfigResult.Refused refused ->
          refused.problems().stream()
              .map(problem -> problem.toString().replace(folder + "/", ""))
              .toList();
    };
  }

  @Nested
  class Layers {
    @Test
    void lieOverEachOtherInTheirOrder() throws IOException {
      Path file =
          file(
              """
              sip: {listen_port: 5061, max_concurrent_calls: 7}
              media:
                rtp_timeout: 30
                port_pool: {start: 12000}
              logging: {level: WARN}
              """);
      Configuration configuration =
          loaded(
              ConfigLoader.load(
                  Role.STANDALONE,
                  Optional.of(file),
                  Map.of(
                      "SIP_PBX_MEDIA_RTP_TIMEOUT", "120",
                      "SIP_PBX_SIP_LISTEN_PORT", "5062",
                      "SIP_PBX_LOGGING_LEVEL", "DEBUG"),
                  List.of(new Assignment("sip.listen_port", "5063", "--port"))));
      assertThat(configuration.sip().listeners())
          .extracting(listener -> listener.bind().port())
          .containsOnly(5063);
      assertThat(configuration.sip().calls().maxConcurrent()).isEqualTo(7);
      assertThat(configuration.media().rtpTimeout()).contains(Duration.ofMinutes(2));
      assertThat(configuration.media().portPool().start()).isEqualTo(12_000);
      assertThat(configuration.media().portPool().end()).isEqualTo(20_000);
      assertThat(configuration.logging().level()).isEqualTo(LoggingConfig.Level.DEBUG);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "---\n", "sip:\n", "sip:\n  listen_port:\n"})
    void mayBeEmpty(String yaml) throws IOException {
      assertThat(loaded(load(yaml))).isEqualTo(loaded(load(Map.of())));
    }

    @Test
    void takeListsFromVariables() {
      Configuration configuration =
          loaded(
              load(
                  Map.of(
                      "SIP_PBX_MEDIA_CODEC_PRIORITY", "PCMA, opus",
                      "SIP_PBX_EVENTS_WEBHOOK_URLS", "",
                      "SIP_PBX_SIP_USERS", "[{username: \"1004\", password: \"a,b\"}]")));
      assertThat(configuration.media().codecPriority()).containsExactly("pcma", "opus");
      assertThat(configuration.events().receivers()).isEmpty();
      assertThat(configuration.sip().authentication().users())
          .containsExactly(
              new SipConfig.User("1004", new Credential.Password(new Secret<>("a,b"))));
    }

    @Test
    void passOverWhatPlatformsSetForAService() {
      ConfigResult result =
          load(
              Map.of(
                  "SIP_PBX_SERVICE_HOST", "10.0.0.1",
                  "SIP_PBX_SERVICE_PORT_SIP", "5060",
                  "SIP_PBX_PORT", "tcp://10.0.0.1:5060",
                  "SIP_PBX_PORT_5060_UDP_ADDR", "10.0.0.1",
                  "SIP_PBX_MEDIA_PORT", "tcp://10.0.0.1:9900",
                  "SIP_PBX_MEDIA_PORT_9900_TCP", "tcp://10.0.0.1:9900",
                  "PATH", "/bin"));
      assertThat(result)
          .isInstanceOfSatisfying(
              ConfigResult.Loaded.class, loaded -> assertThat(loaded.notices()).isEmpty());
    }

    @Test
    void nameVariablesOfOthersInANotice() {
      assertThat(load(Map.of("SIP_PBX_JVM_OPTIONS", "-Xmx1g")))
          .isInstanceOfSatisfying(
              ConfigResult.Loaded.class,
              loaded ->
                  assertThat(loaded.notices())
                      .extracting(Problem::key)
                      .containsExactly("SIP_PBX_JVM_OPTIONS"));
    }
  }

  @Nested
  class Problems {
    @Test
    void areReportedAllAtOnceWithKeyValueExpectationAndPlace() throws IOException {
      Path file =
          file(
              """
              sip:
                listen_port: 70000
                listen_prot: 5060
                transport: udp,sctp
              medai: {rtp_timeout: 5}
              media:
                rtp_timeout: soon
                port_pool: 10000-20000
              cdr: {enabled: yes}
              """);
      ConfigResult result =
          ConfigLoader.load(
              Role.CONTROL_PLANE,
              Optional.of(file),
              Map.of("SIP_PBX_LOGGING_FORMAT", "xml", "SIP_PBX_LOGING_LEVEL", "INFO"),
              List.of(new Assignment("logging.level", "LOUD", "--log-level")));
      assertThat(problems(result))
          .containsExactlyInAnyOrder(
              "sip.listen_port = 70000: expected an integer from 0 to 65535 (pbx.yaml line 2)",
              "sip.listen_prot: unknown key, did you mean sip.listen_port? (pbx.yaml line 3)",
              "sip.transport[1] = sctp: expected a list of: udp, tcp (pbx.yaml line 4)",
              "medai = a section: unknown key, did you mean media? (pbx.yaml line 5)",
              "media.rtp_timeout = soon: expected an integer from 0 to 86400 (pbx.yaml line 7)",
              "media.port_pool = 10000-20000: expected a section with keys of its own"
                  + " (pbx.yaml line 8)",
              "cdr.enabled = yes: expected true or false (pbx.yaml line 9)",
              "SIP_PBX_LOGING_LEVEL: unknown key, did you mean SIP_PBX_LOGGING_LEVEL?"
                  + " (environment variable SIP_PBX_LOGING_LEVEL)",
              "logging.format = xml: expected one of: json, text"
                  + " (environment variable SIP_PBX_LOGGING_FORMAT)",
              "logging.level = LOUD: expected one of: trace, debug, info, warn, error"
                  + " (option --log-level)",
              "media.nodes = []: expected at least one media node for a control plane node"
                  + " (default)");
      assertThat(((ConfigResult.Refused) result).report())
          .startsWith("The configuration has 11 problems:\n  ");
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "'port: 5060' | port: unknown key",
          "'listen_port: 5060' | listen_port: unknown key, did you mean sip.listen_port?",
          "'sip: {rtp_timeout: 5}' | sip.rtp_timeout: unknown key, did you mean media.rtp_timeout?",
          "'sip: {zzzzzzzzzz: 5}' | sip.zzzzzzzzzz: unknown key",
          "'sip: {registrar: {min_expire: 5}}' | sip.registrar.min_expire: unknown key, did you mean"
              + " sip.registrar.min_expires?",
          "'sip: {users: [{usename: a, password: b}]}' | sip.users[0].usename: unknown key, did you"
              + " mean sip.users[0].username?",
        })
    void nameUnknownKeysAndWhatWasProbablyMeant(String yaml, String problem) throws IOException {
      assertThat(problems(load(yaml)))
          .anySatisfy(text -> assertThat(text).startsWith(problem + " ("));
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "sip.listen_port|-1",
          "sip.listen_port|5060.5",
          "sip.listen_port|0x10",
          "sip.listen_port|''",
          "sip.listen_port|99999999999999999999",
          "sip.listen_ip|localhost",
          "sip.listen_ip|''",
          "sip.listen_ipv6|127.0.0.1",
          "sip.advertised_ip|0.0.0.0",
          "sip.advertised_ip|::1",
          "sip.transport|''",
          "sip.transport|tls",
          "sip.follow_redirects|maybe",
          "sip.realm|'a\"b'",
          "sip.digest_algorithms|''",
          "sip.digest_algorithms|SHA-1",
          "sip.digest_algorithms|'MD5,md5'",
          "sip.domains|bad_-.host-",
          "sip.domains|300.1.2.3",
          "sip.users|alice:secret",
          "sip.listeners|udp:5060",
          "sip.t2_ms|400",
          "sip.registrar.min_expires|4000",
          "sip.registrar.max_expires|3000",
          "cluster.node_id|a b",
          "cluster.secret|short",
          "cluster.mesh_listen|7900",
          "cluster.mesh_listen|node-1:7900",
          "cluster.mesh_advertised|'0.0.0.0:7900'",
          "sip.address_mode|both",
          "media.port_pool.start|80",
          "media.port_pool.end|10000",
          "media.port_pool.start|20000",
          "media.mode|'by pass'",
          "media.codec_priority|'opus,p c m'",
          "media.bind_ip|''",
          "media.nodes|media-1",
          "media.nodes|media-1:0",
          "media.nodes|fe80::1:9900",
          "media.nodes|host:99999",
          "media.listen|9900",
          "media.packet_loop|fast",
          "events.webhook_urls|ftp://example.com/x",
          "events.webhook_urls|not a url",
          "cdr.filename_pattern|cdr.jsonl",
          "cdr.filename_pattern|cdr-%Y-%m.jsonl",
          "cdr.filename_pattern|../%Y%m%d",
          "cdr.filename_pattern|%Y%m%d%S",
          "cdr.rotation|hourly",
          "cdr.rotation|weekly",
          "cdr.output_dir|''",
          "logging.output|''",
          "monitoring.bind_ip|everywhere",
          "monitoring.prometheus_port|8080",
        })
    void refuseValuesThatAreNotAsExpected(String key, String value) {
      List<String> problems = problems(load(Map.of(Settings.variable(key), value)));
      assertThat(problems).hasSize(1);
      assertThat(problems.getFirst()).contains("expected");
      String section = key.substring(0, key.indexOf('.') + 1);
      assertThat(problems.getFirst()).startsWith(section);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{username: a}",
          "{password: b}",
          "{username: a, password: b, ha1_md5: d41d8cd98f00b204e9800998ecf8427e}",
          "{username: a, ha1_md5: d41d8cd98f00b204e9800998ecf8427}",
          "{username: a, ha1_sha256: d41d8cd98f00b204e9800998ecf8427e}",
          "{username: 'a:b', password: b}",
          "{username: 'a b', password: b}",
          "{username: a, password: ''}",
          "{username: [a], password: b}",
          "alice",
          "[]",
        })
    void refuseUsersThatCouldNotRegister(String user) throws IOException {
      assertThat(problems(load("sip: {users: [" + user + "]}")))
          .isNotEmpty()
          .allSatisfy(problem -> assertThat(problem).startsWith("sip.users[0]"));
    }

    @Test
    void refuseAUserWhomNoAlgorithmCanCheck() throws IOException {
      String sip =
          """
          sip:
            digest_algorithms: [SHA-256]
            users:
              - {username: alice, ha1_md5: d41d8cd98f00b204e9800998ecf8427e}
              - {username: bob, password: secret}
          """;
      assertThat(problems(load(sip)))
          .singleElement()
          .asString()
          .startsWith("sip.digest_algorithms = a list: expected one that alice has a hash for");
    }

    @Test
    void refuseAUserTwice() throws IOException {
      assertThat(
              problems(
                  load("sip: {users: [{username: a, password: b}, {username: a, password: c}]}")))
          .singleElement()
          .asString()
          .startsWith("sip.users = a list: expected user a once");
    }

    @Test
    void refuseListenersBesideWhatTheyReplace() throws IOException {
      assertThat(
              problems(
                  load(
                      """
                      sip:
                        listen_port: 5080
                        listeners: [{transport: udp, bind: "127.0.0.1:5060"}]
                      """)))
          .containsExactly(
              "sip.listen_port = 5080: expected not to be set beside sip.listeners, which replaces"
                  + " it (pbx.yaml line 2)");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{transport: udp}",
          "{bind: '127.0.0.1:5060'}",
          "{transport: tls, bind: '127.0.0.1:5060'}",
          "{transport: udp, bind: 'host:5060'}",
          "{transport: udp, bind: '127.0.0.1'}",
          "{transport: udp, bind: '127.0.0.1:5060', advertised: '0.0.0.0:5060'}",
          "{transport: udp, bind: '127.0.0.1:5060', advertised: '[2001:db8::1]:5060'}",
          "{transport: udp, bind: '127.0.0.1:5060'}, {transport: UDP, bind: '127.0.0.1:5060'}",
        })
    void refuseListenersThatCannotBe(String listeners) throws IOException {
      assertThat(problems(load("sip: {listeners: [" + listeners + "]}")))
          .isNotEmpty()
          .allSatisfy(problem -> assertThat(problem).startsWith("sip.listeners"));
    }

    @Test
    void neverShowSecrets() throws IOException {
      Path file =
          file(
              """
              cluster: {secret: hunter2, secrt: hunter2}
              sip:
                users:
                  - {username: a, password: [hunter2], ha1_md5: hunter2, passwort: hunter2}
                  - hunter2
              """);
      ConfigResult result =
          ConfigLoader.load(
              Role.STANDALONE,
              Optional.of(file),
              Map.of("SIP_PBX_CLUSTER_SECRET", "hunter2"),
              List.of());
      assertThat(problems(result)).hasSizeGreaterThan(4);
      assertThat(problems(result).toString()).doesNotContain("hunter2");
      assertThat(problems(load(Map.of("SIP_PBX_SIP_USERS", "hunter2"))).toString())
          .doesNotContain("hunter2");
      assertThat(problems(load(Map.of("SIP_PBX_SIP_USERS", "[hunter2"))).toString())
          .doesNotContain("hunter2");
    }
  }

  @Nested
  class OfFiles {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "'sip: {listen_port: 1, listen_port: 2}' | sip.listen_port: stands here again",
          "'sip: &a {listen_port: 1}\nmedia: *a' | media = *a: expected no aliases",
          "'sip: {}\n---\nsip: {}' | expected one document",
          "'sip: {listen_port: [}' | expected YAML, but",
          "'sip: \"open' | expected YAML, but",
          "'- a' | expected sections",
          "'text' | expected sections",
          "'\t' | expected YAML, but",
          "'[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[' | expected YAML, but",
        })
    void areRefusedWhenMalformed(String yaml, String problem) throws IOException {
      assertThat(problems(load(yaml))).anySatisfy(text -> assertThat(text).contains(problem));
    }

    @Test
    void areNotReadForEver() throws IOException {
      assertThat(problems(load("#" + " ".repeat(Yaml.MAX_BYTES))))
          .singleElement()
          .asString()
          .contains("at most 1 MiB");
    }

    @Test
    void mustBeThereAndBeText() throws IOException {
      var missing =
          ConfigLoader.load(
              Role.STANDALONE, Optional.of(folder.resolve("none")), Map.of(), List.of());
      assertThat(problems(missing)).singleElement().asString().contains("but there is none");
      var directory = ConfigLoader.load(Role.STANDALONE, Optional.of(folder), Map.of(), List.of());
      assertThat(problems(directory)).singleElement().asString().contains("that can be read");
      Path latin1 = Files.write(folder.resolve("latin1"), new byte[] {'#', (byte) 0xe4});
      var notUtf8 = ConfigLoader.load(Role.STANDALONE, Optional.of(latin1), Map.of(), List.of());
      assertThat(problems(notUtf8)).singleElement().asString().contains("UTF-8");
    }

    /** Whatever stands in a file, the answer is a value: it loads or says why not. */
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void neverThrowWhateverStandsInThem(long seed) throws IOException {
      var random = new Random(seed);
      String reference = ConfigLoader.referenceText().replaceAll("(?m)^ *#.*\n", "");
      String alphabet = "{}[]:,-#&*!|>'\"%@`\n\t ax0.~?";
      int refused = 0;
      for (int i = 0; i < 60; i++) {
        var text = new StringBuilder(reference);
        for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
          int at = random.nextInt(text.length());
          switch (random.nextInt(3)) {
            case 0 -> text.deleteCharAt(at);
            case 1 -> text.insert(at, alphabet.charAt(random.nextInt(alphabet.length())));
            default -> text.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
          }
        }
        if (load(text.toString()) instanceof ConfigResult.Refused(List<Problem> problems)) {
          refused++;
          assertThat(problems).as("seed %d, %s", seed, text).isNotEmpty();
        }
      }
      assertThat(refused).as("seed %d", seed).isPositive();
    }

    @Test
    void mayBeTheReferenceFileItself() throws IOException {
      assertThat(loaded(load(ConfigLoader.referenceText())).media())
          .isEqualTo(loaded(load(Map.of())).media());
    }
  }

  @Nested
  class Values {
    @Test
    void ofTheReferenceSystemAreTaken() throws IOException {
      ConfigResult result =
          load(
              """
              sip:        {listen_ip: "0.0.0.0", listen_port: 5060, transport: "udp", max_concurrent_calls: 100}
              media:
                mode: "bypass"
                port_pool: {start: 10000, end: 20000}
                rtp_timeout: 60                       # seconds
                codec_priority: ["opus", "pcmu", "pcma"]
              events:     {webhook_urls: ["http://your-webhook-service/webhook"], webhook_timeout: 10, webhook_retries: 3}
              cdr:        {enabled: true, output_dir: "/var/log/sip-pbx/cdr", filename_pattern: "cdr-%Y-%m-%d.jsonl", rotation: "daily", retention_days: 90}
              logging:    {level: "INFO", format: "json", output: "stdout"}
              monitoring: {prometheus_port: 9090, health_check_port: 8080}
              """);
      Configuration configuration = loaded(result);
      assertThat(configuration.sip().listeners())
          .containsExactly(
              new Listener(Transport.UDP, Endpoint.of("0.0.0.0", 5060), Optional.empty()));
      assertThat(configuration.events().receivers())
          .extracting(EventsConfig.Receiver::url)
          .containsExactly(URI.create("http://your-webhook-service/webhook"));
      assertThat(configuration.cdr().outputDirIsDefault()).isFalse();
      assertThat(((ConfigResult.Loaded) result).notices()).isEmpty();
    }

    @Test
    void nameReceiversOfWebhooks() throws IOException {
      String first = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
      String second = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
      ConfigResult result =
          load(
              """
              events:
                webhook_urls: ["https://a.example/hooks?x=1", "https://a.example/other"]
                webhook_secrets: ["%s"]
                webhooks:
                  - {name: crm, url: "http://[2001:db8::1]:8081/", secrets: ["%s", "%s"], events: [call.ended]}
                  - {url: "https://b.example", secrets: []}
              """
                  .formatted(first, first, second));
      EventsConfig events = loaded(result).events();
      assertThat(events.isUsed()).isTrue();
      assertThat(events.receivers())
          .extracting(EventsConfig.Receiver::name)
          .containsExactly("a.example-e43d9f17", "a.example-c241af08", "crm", "b.example-0ef96afd");
      assertThat(events.receivers())
          .extracting(receiver -> receiver.secrets().size())
          .containsExactly(1, 1, 2, 0);
      EventsConfig.Receiver crm = events.receivers().get(2);
      assertThat(crm.wants(EventsConfig.WebhookType.CALL_ENDED)).isTrue();
      assertThat(crm.wants(EventsConfig.WebhookType.CALL_STARTED)).isFalse();
      assertThat(events.receivers().getFirst().wants(EventsConfig.WebhookType.REGISTRATION_CHANGED))
          .isTrue();
    }

    @Test
    void showNoSecretOfWebhooksThatIsWrong() throws IOException {
      assertThat(
              load(
                  """
                  events:
                    webhook_secrets: ["short-secret"]
                    webhooks:
                      - {url: "https://b.example", secrets: ["whsec_c2VjcmV0"]}
                      - {url: "https://user:word@b.example/"}
                      - {url: "https://b.example/", events: [call.over]}
                      - {name: twice, url: "https://b.example/"}
                      - {name: twice, url: "https://c.example/"}
                  """))
          .isInstanceOfSatisfying(
              ConfigResult.Refused.class,
              refused ->
                  assertThat(refused.report())
                      .contains("events.webhook_secrets")
                      .contains("events.webhooks[0].secrets")
                      .contains("events.webhooks[1].url")
                      .contains("events.webhooks[2].events")
                      .contains("expected receiver twice once")
                      .doesNotContain("short-secret", "c2VjcmV0", "word"));
    }

    @Test
    void thatAreNotImplementedYetAreSaidToBeWithoutEffect() {
      assertThat(load(Map.of("SIP_PBX_MEDIA_MODE", "transcode")))
          .isInstanceOfSatisfying(
              ConfigResult.Loaded.class,
              loaded ->
                  assertThat(loaded.notices())
                      .singleElement()
                      .asString()
                      .isEqualTo(
                          "media.mode = transcode: is not implemented yet: media are relayed as"
                              + " with bypass (environment variable SIP_PBX_MEDIA_MODE)"));
    }

    @Test
    void makeAListenerForEachAddressAndTransport() {
      SipConfig sip =
          loaded(
                  load(
                      Map.of(
                          "SIP_PBX_SIP_LISTEN_IPV6", "::",
                          "SIP_PBX_SIP_LISTEN_PORT", "5070",
                          "SIP_PBX_SIP_ADVERTISED_IP", "203.0.113.9",
                          "SIP_PBX_SIP_ADVERTISED_IPV6", "2001:db8::9")))
              .sip();
      var v4 = Optional.of(Endpoint.of("203.0.113.9", 5070));
      var v6 = Optional.of(Endpoint.of("2001:db8::9", 5070));
      assertThat(sip.listeners())
          .containsExactly(
              new Listener(Transport.UDP, Endpoint.of("0.0.0.0", 5070), v4),
              new Listener(Transport.TCP, Endpoint.of("0.0.0.0", 5070), v4),
              new Listener(Transport.UDP, Endpoint.of("::", 5070), v6),
              new Listener(Transport.TCP, Endpoint.of("::", 5070), v6));
    }

    @Test
    void ofListenersReplaceTheSimpleForm() throws IOException {
      SipConfig sip =
          loaded(
                  load(
                      """
                      sip:
                        listeners:
                          - {transport: udp, bind: "10.0.0.1:5060", advertised: "203.0.113.9:6000"}
                          - {transport: TCP, bind: "[::1]:0"}
                      """))
              .sip();
      assertThat(sip.listeners())
          .containsExactly(
              new Listener(
                  Transport.UDP,
                  Endpoint.of("10.0.0.1", 5060),
                  Optional.of(Endpoint.of("203.0.113.9", 6000))),
              new Listener(Transport.TCP, Endpoint.of("::1", 0), Optional.empty()));
    }

    @Test
    void ofUsersAreKeptAsSecrets() throws IOException {
      List<SipConfig.User> users =
          loaded(
                  load(
                      """
                      sip:
                        users:
                          - {username: "1004", password: "12345678901234567890"}
                          - username: alice
                            ha1_md5: D41D8CD98F00B204E9800998ECF8427E
                      """))
              .sip()
              .authentication()
              .users();
      assertThat(users)
          .containsExactly(
              new SipConfig.User(
                  "1004", new Credential.Password(new Secret<>("12345678901234567890"))),
              new SipConfig.User(
                  "alice",
                  new Credential.Hashes(
                      Optional.of(new Secret<>("d41d8cd98f00b204e9800998ecf8427e")),
                      Optional.empty())));
      assertThat(users.toString()).contains("[REDACTED]").doesNotContain("1234567890", "d41d8");
    }

    @Test
    void ofDigestAlgorithmsKeepTheirOrder() {
      assertThat(
              loaded(load(Map.of("SIP_PBX_SIP_DIGEST_ALGORITHMS", "md5, sha-512-256")))
                  .sip()
                  .authentication()
                  .algorithms())
          .containsExactly(SipConfig.DigestAlgorithm.MD5, SipConfig.DigestAlgorithm.SHA_512_256);
    }

    @Test
    void ofAddressesAreNormal() {
      Configuration configuration =
          loaded(
              load(
                  Map.of(
                      "SIP_PBX_SIP_DOMAINS", "PBX.Example.com,[2001:DB8::0:1],192.0.2.1",
                      "SIP_PBX_MEDIA_LISTEN", "[::1]:0",
                      "SIP_PBX_MONITORING_BIND_IP", "::")));
      assertThat(configuration.sip().domains())
          .containsExactly("pbx.example.com", "2001:db8::1", "192.0.2.1");
      assertThat(configuration.media().listen()).isEqualTo(new HostPort("::1", 0));
      assertThat(configuration.media().listen().toString()).isEqualTo("[::1]:0");
      assertThat(configuration.monitoring().bindIp()).isEqualTo(IpAddress.of("::"));
    }

    @Test
    void ofFoldersComeFromTheEnvironment() {
      assertThat(loaded(load(Map.of("HOME", "/home/me"))).standalone().dataDir())
          .isEqualTo(Path.of("/home/me/.local/state/sip-pbx"));
      assertThat(
              loaded(load(Map.of("HOME", "/home/me", "XDG_STATE_HOME", "/state")))
                  .standalone()
                  .dataDir())
          .isEqualTo(Path.of("/state/sip-pbx"));
      assertThat(
              loaded(load(Map.of("HOME", "/home/me", "SIP_PBX_STANDALONE_DATA_DIR", "/data")))
                  .standalone()
                  .dataDir())
          .isEqualTo(Path.of("/data"));
    }

    @ParameterizedTest
    @CsvSource({
      "pod-1.example,pod-1.example",
      "my host_1,my-host-1",
      "-x,x",
      "...,sip-pbx",
      "012345678901234567890123456789012345678901234567890123456789.abcdef,"
          + "012345678901234567890123456789012345678901234567890123456789.ab"
    })
    void ofTheNodeAreTakenFromTheHost(String host, String nodeId) {
      assertThat(loaded(load(Map.of("HOSTNAME", host))).cluster().nodeId().text())
          .isEqualTo(nodeId);
    }

    @Test
    void ofSecretsMayBeMissing() {
      assertThat(loaded(load(Map.of())).cluster().secret()).isEmpty();
      ClusterConfig cluster =
          loaded(load(Map.of("SIP_PBX_CLUSTER_SECRET", "0123456789abcdef"))).cluster();
      assertThat(cluster.secret()).contains(new Secret<>("0123456789abcdef"));
      assertThat(cluster.toString()).doesNotContain("0123456789abcdef");
    }

    @Test
    void ofTheMeshAreAddresses() {
      ClusterConfig.Mesh byDefault = loaded(load(Map.of())).cluster().mesh();
      assertThat(byDefault.listen()).isEqualTo(Endpoint.of("0.0.0.0", 0));
      assertThat(byDefault.advertised()).isEmpty();
      ClusterConfig.Mesh mesh =
          loaded(
                  load(
                      Map.of(
                          "SIP_PBX_CLUSTER_MESH_LISTEN", "[::1]:7900",
                          "SIP_PBX_CLUSTER_MESH_ADVERTISED", "192.0.2.1:0")))
              .cluster()
              .mesh();
      assertThat(mesh.listen()).isEqualTo(Endpoint.of("::1", 7900));
      assertThat(mesh.advertised()).contains(Endpoint.of("192.0.2.1", 0));
    }

    @Test
    void ofASharedAddressNeedAPort() throws IOException {
      assertThat(loaded(load("sip: {address_mode: shared}")).sip().addressMode())
          .isEqualTo(SipConfig.AddressMode.SHARED);
      assertThat(problems(load("sip: {address_mode: shared, listen_port: 0}")))
          .singleElement()
          .asString()
          .startsWith("sip.address_mode = shared: expected node where a listener takes any free");
    }

    @Test
    void ofNodesForEachOtherAreCheckedTogether() throws IOException {
      assertThat(
              problems(
                  load(
                      """
                      cluster:
                        tls: {ca_file: /etc/ca.pem, key_file: /etc/key.pem}
                      """)))
          .containsExactly(
              "cluster.tls.ca_file = /etc/ca.pem: expected cluster.tls.ca_file,"
                  + " cluster.tls.cert_file and cluster.tls.key_file, or none of them (pbx.yaml line"
                  + " 2)");
      assertThat(
              loaded(
                      load(
                          """
                          cluster:
                            tls: {ca_file: /ca.pem, cert_file: /cert.pem, key_file: /key.pem}
                          """))
                  .cluster()
                  .tls())
          .contains(
              new ClusterConfig.Tls(Path.of("/ca.pem"), Path.of("/cert.pem"), Path.of("/key.pem")));
    }

    @Test
    void ofRedisAreCheckedTogether() throws IOException {
      assertThat(
              problems(
                  load(
                      """
                      redis:
                        mode: memory
                        uri: redis://me:hunter2@10.0.0.1
                        username: edge
                        tls: {cert_file: /etc/redis.pem}
                      """)))
          .containsExactly(
              "redis.mode = memory: expected auto where redis.uri is set (pbx.yaml line 2)",
              "redis.username = edge: expected redis.password to be set with it (pbx.yaml line 4)",
              "redis.tls.cert_file = /etc/redis.pem: expected redis.tls.cert_file and"
                  + " redis.tls.key_file, or neither (pbx.yaml line 5)");
    }

    @Test
    void ofRedisKeepItsSecrets() {
      Configuration configuration =
          loaded(
              load(
                  Map.of(
                      "SIP_PBX_REDIS_URI", "redis://me:hunter2@10.0.0.1",
                      "SIP_PBX_REDIS_PASSWORD", "hunter2")));
      assertThat(configuration.redis().login().password()).contains(new Secret<>("hunter2"));
      assertThat(configuration.redis().toString()).doesNotContain("hunter2");
    }

    @Test
    void ofAClusterNeedTheSameSecretOnEachNode() {
      var media = new Assignment("media.nodes", "127.0.0.1:9900", "--media");
      var redis = new Assignment("redis.uri", "redis://127.0.0.1", "--set");
      assertThat(
              problems(
                  ConfigLoader.load(
                      Role.CONTROL_PLANE, Optional.empty(), Map.of(), List.of(media, redis))))
          .singleElement()
          .asString()
          .contains("cluster.secret", "at least 16 characters where redis.uri is set");
      assertThat(loaded(load(Map.of(), redis)).redis().uri()).isPresent();
    }

    @Test
    void ofRolesDiffer() {
      var problems = new ArrayList<String>();
      for (Role role : Role.values()) {
        if (ConfigLoader.load(role, Optional.empty(), Map.of(), List.of())
            instanceof ConfigResult.Refused refused) {
          problems.add(role + " " + refused.problems().getFirst().key());
        }
      }
      assertThat(problems)
          .containsExactly("CONTROL_PLANE media.nodes", "EVENT_PLANE kafka.bootstrap_servers");
    }
  }
}
