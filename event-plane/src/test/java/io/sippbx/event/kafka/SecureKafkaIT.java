package io.sippbx.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.event.EventTaker;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.servers.KafkaBroker;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.config.KafkaConfig.Login;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.kafka.KafkaAccess;
import io.sippbx.shared.kafka.KafkaTopics;
import io.sippbx.shared.kafka.KafkaTopics.Found;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a real broker that speaks TLS only, and only to who shows a password. */
@Timeout(180)
class SecureKafkaIT {

  private static final Duration WITHIN = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofSeconds(5);

  @TempDir private static Path folder;
  private static KafkaBroker broker;
  private static Path ca;

  @BeforeAll
  static void startBroker() throws Exception {
    Path keys = folder.resolve("keys.p12");
    ca = folder.resolve("ca.pem");
    keytool(
        "-genkeypair",
        "-alias",
        "broker",
        "-keyalg",
        "EC",
        "-dname",
        "CN=localhost",
        "-ext",
        "san=ip:127.0.0.1,dns:localhost",
        "-validity",
        "10",
        "-storetype",
        "PKCS12",
        "-keystore",
        keys.toString());
    keytool(
        "-exportcert",
        "-rfc",
        "-alias",
        "broker",
        "-keystore",
        keys.toString(),
        "-file",
        ca.toString());
    broker =
        KafkaBroker.start(
            folder.resolve("broker"),
            List.of(
                "listener.security.protocol.map=PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name=PLAINTEXT",
                "sasl.mechanism.inter.broker.protocol=PLAIN",
                "sasl.enabled.mechanisms=PLAIN",
                "listener.name.plaintext.plain.sasl.jaas.config="
                    + "org.apache.kafka.common.security.plain.PlainLoginModule required"
                    + " username=\"broker\" password=\"own\" user_broker=\"own\""
                    + " user_sip=\"se\\\\\"cret\";",
                "ssl.keystore.type=PKCS12",
                "ssl.keystore.location=" + keys,
                "ssl.keystore.password=changeit",
                "ssl.truststore.type=PEM",
                "ssl.truststore.location=" + ca));
  }

  private static void keytool(String... arguments) throws IOException, InterruptedException {
    var command =
        new ArrayList<String>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
    command.addAll(List.of(arguments));
    command.addAll(List.of("-storepass", "changeit", "-noprompt"));
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor(WITHIN.toSeconds(), TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  @AfterAll
  static void stopBroker() {
    broker.close();
  }

  private static KafkaConfig config(String password, Optional<Path> trusted) {
    KafkaConfig defaults = ConfigLoader.defaults().kafka();
    int port = Integer.parseInt(broker.bootstrapServers().split(":")[1]);
    return new KafkaConfig(
        List.of(new HostPort("127.0.0.1", port)),
        Optional.empty(),
        new Login(
            KafkaConfig.Protocol.SASL_SSL,
            KafkaConfig.Mechanism.PLAIN,
            Optional.of("sip"),
            Optional.of(new Secret<>(password)),
            trusted),
        new KafkaConfig.Topics(
            "calls", "registrations", true, 1, Optional.empty(), Duration.ofHours(1)),
        defaults.maxInFlight());
  }

  private static Found ensure(KafkaConfig config) throws Exception {
    return KafkaTopics.ensure(
        KafkaAccess.of(config), config.topics(), KafkaConfig.Topic.CALLS, SHORT);
  }

  @Test
  void makesTopicsPublishesAndConsumesOverTlsWithAPassword() throws Exception {
    KafkaConfig config = config("se\"cret", Optional.of(ca));
    assertThat(
            KafkaTopics.ensure(
                KafkaAccess.of(config), config.topics(), KafkaConfig.Topic.CALLS, WITHIN))
        .isInstanceOf(Found.Ready.class);
    KafkaAccess access = KafkaAccess.of(config);
    CallEvent event = CallEvent.newBuilder().setEventId("a").setCallKey("call").build();
    try (var producer = new KafkaProducer<String, byte[]>(access.producer("test"))) {
      producer
          .send(new ProducerRecord<>("calls", "call", event.toByteArray()))
          .get(WITHIN.toSeconds(), TimeUnit.SECONDS);
    }
    var taken = new LinkedBlockingQueue<CallEvent>();
    EventTaker taker =
        (next, done) -> {
          taken.add(next);
          done.run();
          return true;
        };
    var settings =
        new KafkaPump.Settings(
            "secure", access, config.topics(), KafkaConfig.Topic.CALLS, List.of());
    try (var pump =
        KafkaPump.start(settings, taker, new Checkpoint(folder.resolve("checkpoint")))) {
      assertThat(taken.poll(WITHIN.toSeconds(), TimeUnit.SECONDS)).isEqualTo(event);
      assertThat(pump.isConnected()).isTrue();
    }
  }

  @Test
  void saysThatThePasswordIsWrong() throws Exception {
    assertThat(ensure(config("other", Optional.of(ca))))
        .isInstanceOfSatisfying(
            Found.Missing.class,
            missing ->
                assertThat(missing.problem())
                    .startsWith("kafka.call_topic = calls: ")
                    .contains("Authentication failed"));
  }

  @Test
  void doesNotTalkToABrokerWhoseCertificateNobodyVouchesFor() throws Exception {
    assertThat(ensure(config("se\"cret", Optional.empty())))
        .isInstanceOfSatisfying(
            Found.Missing.class,
            missing -> assertThat(missing.problem()).contains("SSL handshake failed"));
  }
}
