package io.sippbx.shared.kafka;

import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.KafkaConfig;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;

/** The settings of Kafka's clients, as the configuration has them. */
public final class KafkaAccess {

  private static final long MAX_FILE_BYTES = 1 << 20;

  private final Map<String, String> common;

  private KafkaAccess(Map<String, String> common) {
    this.common = common;
  }

  /**
   * Reads what there is to be read.
   *
   * @throws IOException if a file cannot be; the message names the key
   */
  public static KafkaAccess of(KafkaConfig config) throws IOException {
    var common = new LinkedHashMap<String, String>();
    if (config.propertiesFile().isPresent()) {
      common.putAll(read(config.propertiesFile().get()));
    }
    common.put(
        CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
        config.bootstrapServers().stream()
            .map(HostPort::toString)
            .collect(Collectors.joining(",")));
    // Each attempt that fails is a line in the log.
    common.putIfAbsent(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, "250");
    common.putIfAbsent(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, "5000");
    KafkaConfig.Login login = config.login();
    if (login.protocol() != KafkaConfig.Protocol.PLAINTEXT) {
      common.put(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, login.protocol().name());
    }
    if (login.username().isPresent() && login.password().isPresent()) {
      common.put(SaslConfigs.SASL_MECHANISM, login.mechanism().text());
      common.put(
          SaslConfigs.SASL_JAAS_CONFIG,
          jaas(login.mechanism(), login.username().get(), login.password().get().value()));
    }
    if (login.caFile().isPresent()) {
      Path file = login.caFile().get();
      if (!Files.isReadable(file)) {
        throw new IOException(
            "kafka.ca_file = " + file + ": expected a file that this process can read");
      }
      common.put(SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG, "PEM");
      common.put(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG, file.toString());
    }
    return new KafkaAccess(common);
  }

  private static Map<String, String> read(Path file) throws IOException {
    String key = "kafka.properties_file = " + file;
    var properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new IOException("it has more than " + MAX_FILE_BYTES + " bytes");
      }
      properties.load(in);
    } catch (IOException | IllegalArgumentException e) {
      throw new IOException(key + ": expected lines of key=value that can be read, but " + e, e);
    }
    var read = new LinkedHashMap<String, String>();
    for (String name : properties.stringPropertyNames().stream().sorted().toList()) {
      read.put(name, properties.getProperty(name));
    }
    return read;
  }

  private static String jaas(KafkaConfig.Mechanism mechanism, String username, String password) {
    String module =
        mechanism == KafkaConfig.Mechanism.PLAIN
            ? "org.apache.kafka.common.security.plain.PlainLoginModule"
            : "org.apache.kafka.common.security.scram.ScramLoginModule";
    return module
        + " required username=\""
        + quoted(username)
        + "\" password=\""
        + quoted(password)
        + "\";";
  }

  private static String quoted(String text) {
    return text.replace("\\", "\\\\").replace("\"", "\\\"");
  }

  /** For a client that looks at topics and makes them. */
  public Map<String, Object> admin() {
    var settings = new LinkedHashMap<String, Object>(common);
    settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, "sip-pbx-admin");
    return settings;
  }

  /**
   * For a producer of which nothing that it has acknowledged is lost, and nothing doubled by its
   * own repeats.
   */
  public Map<String, Object> producer(String clientId) {
    var settings = new LinkedHashMap<String, Object>(common);
    settings.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, "5");
    settings.putIfAbsent(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, "30000");
    settings.putIfAbsent(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, "10000");
    settings.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, "2000");
    settings.put(ProducerConfig.CLIENT_ID_CONFIG, clientId);
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    settings.put(
        ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
        "org.apache.kafka.common.serialization.StringSerializer");
    settings.put(
        ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
        "org.apache.kafka.common.serialization.ByteArraySerializer");
    // The partition is the hash of the key, whoever sends it.
    for (String own :
        List.of(
            ProducerConfig.PARTITIONER_CLASS_CONFIG,
            ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG,
            ProducerConfig.TRANSACTIONAL_ID_CONFIG)) {
      settings.remove(own);
    }
    return settings;
  }

  /** For a consumer that begins with the oldest event and keeps its offsets by itself. */
  public Map<String, Object> consumer(String clientId) {
    var settings = new LinkedHashMap<String, Object>(common);
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, clientId);
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    settings.put(
        ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
        "org.apache.kafka.common.serialization.StringDeserializer");
    settings.put(
        ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
        "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    settings.remove(ConsumerConfig.GROUP_ID_CONFIG);
    settings.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    return settings;
  }

  /** As {@link #consumer}, for one of a group, whose offsets the brokers keep. */
  public Map<String, Object> groupConsumer(String clientId, String group) {
    Map<String, Object> settings = consumer(clientId);
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    return settings;
  }
}
