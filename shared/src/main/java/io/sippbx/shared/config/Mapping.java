package io.sippbx.shared.config;

import io.sippbx.shared.config.SipConfig.Credential;
import io.sippbx.shared.config.SipConfig.DigestAlgorithm;
import io.sippbx.shared.config.SipConfig.Listener;
import io.sippbx.shared.config.SipConfig.Transport;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** From keys to records: every key of the reference file is read here, once. */
final class Mapping {

  private static final Pattern USERNAME = Pattern.compile("[\\x21\\x23-\\x39\\x3b-\\x7e]{1,128}");
  private static final Pattern REALM = Pattern.compile("[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{1,128}");
  private static final Pattern CODEC = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}");
  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{1,249}");
  private static final Pattern POSTGRES = Pattern.compile("jdbc:postgresql:[\\x21-\\x7e]{1,1000}");
  private static final Pattern PARTITION = Pattern.compile("[0-9]{1,5}");
  private static final Pattern WORD = Pattern.compile("[A-Za-z0-9_-]{1,32}");
  private static final Pattern MD5 = Pattern.compile("[0-9a-f]{32}");
  private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
  private static final String TOPIC_EXPECTED =
      "1 to 249 letters, digits, dots, hyphens and underscores";
  private static final int MIN_SECRET = 16;
  private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{16,1024}");

  private final Reader reader;
  private final Map<String, String> environment;
  private final List<Problem> notices;

  Mapping(Reader reader, Map<String, String> environment, List<Problem> notices) {
    this.reader = reader;
    this.environment = environment;
    this.notices = notices;
  }

  Configuration read(Role role) {
    var configuration =
        new Configuration(
            sip(),
            cluster(),
            standalone(),
            redis(),
            media(),
            kafka(),
            new WebhookMapping(reader).events(),
            cdr(),
            logging(),
            monitoring(),
            admin());
    if (role == Role.CONTROL_PLANE && configuration.media().nodes().isEmpty()) {
      reader.refuse("media.nodes", "expected at least one media node for a control plane node");
    }
    if (role == Role.CONTROL_PLANE
        && configuration.redis().uri().isPresent()
        && configuration.cluster().secret().isEmpty()) {
      reader.refuse(
          "cluster.secret",
          "expected at least "
              + MIN_SECRET
              + " characters where redis.uri is set, the same on every node that uses it");
    }
    if (role == Role.EVENT_PLANE && !configuration.kafka().isUsed()) {
      reader.refuse(
          "kafka.bootstrap_servers",
          "expected brokers from which an event plane node takes events; without Kafka the node"
              + " that takes calls makes CDRs and webhooks itself");
    }
    if (role == Role.STANDALONE && !configuration.media().nodes().isEmpty()) {
      notice("media.nodes", "has no effect in standalone, which has its own media node");
    }
    if (role != Role.TOOL) {
      noticeUnimplemented(configuration);
    }
    return configuration;
  }

  private void noticeUnimplemented(Configuration configuration) {
    if (!configuration.media().mode().equals("bypass")) {
      notice("media.mode", "is not implemented yet: media are relayed as with bypass");
    }
  }

  private void notice(String key, String text) {
    notices.add(reader.notice(key, text));
  }

  private SipConfig sip() {
    List<Listener> listeners = listeners();
    List<String> domains =
        reader.list("sip.domains", "a list of host names or IP addresses", Mapping::domain);
    var calls =
        new SipConfig.Calls(
            reader.integer("sip.max_concurrent_calls", 1, 1_000_000),
            reader.integer("sip.max_cluster_calls", 0, 100_000_000),
            reader.seconds("sip.no_answer_timeout", 1, 3_600),
            reader.seconds("sip.max_call_duration", 1, 604_800),
            reader.flag("sip.follow_redirects"),
            reader.seconds("sip.retry_after", 1, 3_600));
    var authentication = authentication();
    var registrar = registrar();
    var timers =
        new SipConfig.Timers(
            reader.millis("sip.t1_ms", 10, 10_000),
            reader.millis("sip.t2_ms", 10, 60_000),
            reader.millis("sip.t4_ms", 10, 60_000));
    if (timers.t2().compareTo(timers.t1()) < 0) {
      reader.refuse("sip.t2_ms", "expected at least sip.t1_ms, " + timers.t1().toMillis());
    }
    var wire =
        new SipConfig.Wire(
            reader.integer("sip.max_message_bytes", 1_024, 65_535),
            reader.integer("sip.mtu", 576, 65_535),
            reader.integer("sip.udp_receive_buffer_bytes", 65_536, 1 << 30),
            reader.integer("sip.udp_sockets", 0, 64),
            reader.integer("sip.max_transactions", 100, 10_000_000));
    var tcp =
        new SipConfig.Tcp(
            reader.integer("sip.tcp.max_connections", 1, 1_000_000),
            reader.integer("sip.tcp.max_connections_per_ip", 1, 1_000_000),
            reader.seconds("sip.tcp.idle_timeout", 10, 86_400),
            reader.seconds("sip.tcp.message_timeout", 1, 300),
            reader.seconds("sip.tcp.connect_timeout", 1, 30),
            reader.integer("sip.tcp.send_buffer_bytes", 65_536, 1 << 30));
    Optional<Path> traceFile = reader.optional("sip.trace_file", "a file path", Reader::parsePath);
    long traceBytes = reader.longInteger("sip.trace_file_max_bytes", 65_536, 1L << 40);
    int traceFiles = reader.integer("sip.trace_file_count", 1, 1_000);
    var addressMode = reader.choice("sip.address_mode", SipConfig.AddressMode.class);
    if (addressMode == SipConfig.AddressMode.SHARED
        && listeners.stream().anyMatch(listener -> listener.bind().port() == 0)) {
      reader.refuse(
          "sip.address_mode",
          "expected node where a listener takes any free port: shared means that all nodes have"
              + " the same");
    }
    return new SipConfig(
        listeners,
        addressMode,
        domains,
        calls,
        timers,
        wire,
        tcp,
        authentication,
        registrar,
        traceFile.map(file -> new SipConfig.Trace(file, traceBytes, traceFiles)));
  }

  private static Optional<String> domain(String text) {
    return IpAddress.parse(text)
        .map(IpAddress::toString)
        .or(
            () ->
                Reader.isHostName(text)
                    ? Optional.of(text.toLowerCase(Locale.ROOT))
                    : Optional.empty());
  }

  private List<Listener> listeners() {
    Optional<IpAddress> ip = reader.optionalIp("sip.listen_ip");
    Optional<IpAddress> ipV6 = reader.optionalV6("sip.listen_ipv6");
    int port = reader.integer("sip.listen_port", 0, 65_535);
    List<Transport> transports = reader.choices("sip.transport", Transport.class);
    Optional<IpAddress> advertised = advertised("sip.advertised_ip", false);
    Optional<IpAddress> advertisedV6 = advertised("sip.advertised_ipv6", true);
    List<Listener> explicit =
        reader.entries(
            "sip.listeners",
            "a list of entries with transport, bind and, optionally, advertised",
            List.of("transport", "bind", "advertised"),
            false,
            Mapping::listener);
    var listeners = new ArrayList<Listener>(explicit);
    if (explicit.isEmpty()) {
      var addresses = new LinkedHashSet<IpAddress>();
      ip.ifPresent(addresses::add);
      ipV6.ifPresent(addresses::add);
      for (IpAddress address : addresses) {
        Optional<Endpoint> shown =
            (address.isV6() ? advertisedV6 : advertised).map(own -> new Endpoint(own, port));
        for (Transport transport : new LinkedHashSet<>(transports)) {
          listeners.add(new Listener(transport, new Endpoint(address, port), shown));
        }
      }
    } else {
      for (String key :
          List.of(
              "sip.listen_ip",
              "sip.listen_ipv6",
              "sip.listen_port",
              "sip.transport",
              "sip.advertised_ip",
              "sip.advertised_ipv6")) {
        if (reader.isSet(key)) {
          reader.refuse(key, "expected not to be set beside sip.listeners, which replaces it");
        }
      }
      var bound = new LinkedHashSet<String>();
      for (Listener listener : explicit) {
        String name = listener.transport() + " " + listener.bind();
        if (listener.bind().port() != 0 && !bound.add(name)) {
          reader.refuse("sip.listeners", "expected " + name + " once");
        }
      }
    }
    if (explicit.isEmpty() && ip.isEmpty() && ipV6.isEmpty()) {
      reader.refuse("sip.listen_ip", "expected an address here or in sip.listen_ipv6");
    }
    if (explicit.isEmpty() && reader.isEmptyList("sip.transport")) {
      reader.refuse("sip.transport", "expected at least one of: udp, tcp");
    }
    return listeners;
  }

  private Optional<IpAddress> advertised(String key, boolean v6) {
    Optional<IpAddress> ip = v6 ? reader.optionalV6(key) : reader.optionalV4(key);
    if (ip.isPresent() && ip.get().isUnspecified()) {
      reader.refuse(key, "expected an address that peers can send to");
    }
    return ip;
  }

  private static Optional<Listener> listener(Reader.EntryReader entry) {
    Optional<Transport> transport =
        entry.need(
            "transport",
            "udp or tcp",
            text ->
                switch (text.toLowerCase(Locale.ROOT)) {
                  case "udp" -> Optional.of(Transport.UDP);
                  case "tcp" -> Optional.of(Transport.TCP);
                  default -> Optional.empty();
                });
    Optional<Endpoint> bind = entry.need("bind", "ip:port, IPv6 in brackets", Mapping::endpoint);
    Optional<Endpoint> advertised =
        entry.read(
            "advertised",
            "ip:port that peers can send to, of the family of bind",
            text ->
                endpoint(text)
                    .filter(e -> !e.ip().isUnspecified())
                    .filter(e -> bind.isEmpty() || e.ip().isV6() == bind.get().ip().isV6()));
    return transport.isEmpty() || bind.isEmpty()
        ? Optional.empty()
        : Optional.of(new Listener(transport.get(), bind.get(), advertised));
  }

  private static Optional<Endpoint> endpoint(String text) {
    return Reader.parseHostPort(text, 0)
        .flatMap(hp -> IpAddress.parse(hp.host()).map(ip -> new Endpoint(ip, hp.port())));
  }

  private SipConfig.Authentication authentication() {
    String realm =
        reader.scalar(
            "sip.realm",
            "1 to 128 printable characters without quotes and backslashes",
            text -> matching(REALM, text));
    Duration nonceAge = reader.seconds("sip.nonce_age", 10, 86_400);
    List<DigestAlgorithm> algorithms =
        reader.list(
            "sip.digest_algorithms", "a list of: SHA-512-256, SHA-256, MD5", Mapping::algorithm);
    if (reader.isEmptyList("sip.digest_algorithms")) {
      reader.refuse("sip.digest_algorithms", "expected at least one algorithm");
    }
    if (algorithms.stream().distinct().count() < algorithms.size()) {
      reader.refuse("sip.digest_algorithms", "expected each algorithm once");
    }
    List<SipConfig.User> users =
        reader.entries(
            "sip.users",
            "a list of entries with username and password, or username and ha1_md5 and/or"
                + " ha1_sha256",
            List.of("username", "password", "ha1_md5", "ha1_sha256"),
            true,
            Mapping::user);
    var seen = new LinkedHashSet<String>();
    for (SipConfig.User user : users) {
      if (!seen.add(user.username())) {
        reader.refuse("sip.users", "expected user " + user.username() + " once");
      }
    }
    List<String> locked =
        users.stream()
            .filter(user -> algorithms.stream().noneMatch(user.credential()::knows))
            .map(SipConfig.User::username)
            .toList();
    if (!algorithms.isEmpty() && !locked.isEmpty()) {
      reader.refuse(
          "sip.digest_algorithms",
          "expected one that " + String.join(", ", locked) + " has a hash for");
    }
    return new SipConfig.Authentication(realm, nonceAge, algorithms, users);
  }

  private static Optional<DigestAlgorithm> algorithm(String text) {
    return switch (text.strip().toUpperCase(Locale.ROOT)) {
      case "SHA-512-256" -> Optional.of(DigestAlgorithm.SHA_512_256);
      case "SHA-256" -> Optional.of(DigestAlgorithm.SHA_256);
      case "MD5" -> Optional.of(DigestAlgorithm.MD5);
      default -> Optional.empty();
    };
  }

  private static Optional<SipConfig.User> user(Reader.EntryReader entry) {
    Optional<String> username =
        entry.need(
            "username",
            "1 to 128 printable ASCII characters without spaces, colons and quotes",
            text -> matching(USERNAME, text));
    Optional<String> password =
        entry.read(
            "password",
            "1 to 256 characters",
            text -> text.isEmpty() || text.length() > 256 ? Optional.empty() : Optional.of(text));
    Optional<String> md5 = hash(entry, "ha1_md5", MD5);
    Optional<String> sha256 = hash(entry, "ha1_sha256", SHA_256);
    boolean hasPassword = entry.has("password");
    boolean hasHash = entry.has("ha1_md5") || entry.has("ha1_sha256");
    if (hasPassword == hasHash) {
      entry.refuse(
          hasPassword
              ? "expected either password or HA1 hashes, not both"
              : "expected password, ha1_md5 or ha1_sha256");
      return Optional.empty();
    }
    if (username.isEmpty() || password.isEmpty() && md5.isEmpty() && sha256.isEmpty()) {
      return Optional.empty();
    }
    Credential credential =
        password.isPresent()
            ? new Credential.Password(new Secret<>(password.get()))
            : new Credential.Hashes(md5.map(Secret::new), sha256.map(Secret::new));
    return Optional.of(new SipConfig.User(username.get(), credential));
  }

  private static Optional<String> hash(Reader.EntryReader entry, String key, Pattern form) {
    return entry.read(
        key,
        "hexadecimal digits of username:realm:password hashed",
        text -> matching(form, text.toLowerCase(Locale.ROOT)));
  }

  private SipConfig.Registrar registrar() {
    var registrar =
        new SipConfig.Registrar(
            reader.seconds("sip.registrar.min_expires", 1, 86_400),
            reader.seconds("sip.registrar.default_expires", 1, 604_800),
            reader.seconds("sip.registrar.max_expires", 1, 604_800),
            reader.integer("sip.registrar.max_bindings", 1, 100),
            reader.integer("sip.registrar.max_addresses", 1, 10_000_000),
            reader.seconds("sip.registrar.flow_wait", 0, 30));
    if (registrar.minExpires().compareTo(registrar.defaultExpires()) > 0) {
      reader.refuse("sip.registrar.default_expires", "expected at least min_expires");
    }
    if (registrar.defaultExpires().compareTo(registrar.maxExpires()) > 0) {
      reader.refuse("sip.registrar.max_expires", "expected at least default_expires");
    }
    return registrar;
  }

  private ClusterConfig cluster() {
    Optional<NodeId> nodeId =
        reader.optional(
            "cluster.node_id",
            "1 to 63 letters, digits, hyphens and dots,",
            text -> {
              try {
                return Optional.of(new NodeId(text));
              } catch (IllegalArgumentException e) {
                return Optional.empty();
              }
            });
    Optional<Secret<String>> secret =
        reader.secret(
            "cluster.secret",
            "at least " + MIN_SECRET + " characters or nothing",
            text ->
                text.isEmpty()
                    ? Optional.of(Optional.<Secret<String>>empty())
                    : text.length() < MIN_SECRET || text.length() > 1_024
                        ? Optional.empty()
                        : Optional.of(Optional.of(new Secret<>(text))));
    return new ClusterConfig(nodeId.orElseGet(this::hostNodeId), secret, mesh(), clusterTls());
  }

  private ClusterConfig.Mesh mesh() {
    Endpoint listen =
        reader.scalar("cluster.mesh_listen", "ip:port, IPv6 in brackets", Mapping::endpoint);
    Optional<Endpoint> advertised =
        reader.optional(
            "cluster.mesh_advertised",
            "ip:port that other nodes can connect to",
            text -> endpoint(text).filter(each -> !each.ip().isUnspecified()));
    return new ClusterConfig.Mesh(listen, advertised);
  }

  private Optional<ClusterConfig.Tls> clusterTls() {
    Optional<Path> ca = reader.optional("cluster.tls.ca_file", "a file path", Reader::parsePath);
    Optional<Path> cert =
        reader.optional("cluster.tls.cert_file", "a file path", Reader::parsePath);
    Optional<Path> key = reader.optional("cluster.tls.key_file", "a file path", Reader::parsePath);
    if (ca.isPresent() && cert.isPresent() && key.isPresent()) {
      return Optional.of(new ClusterConfig.Tls(ca.get(), cert.get(), key.get()));
    }
    if (ca.isPresent() || cert.isPresent() || key.isPresent()) {
      reader.refuse(
          ca.isPresent()
              ? "cluster.tls.ca_file"
              : cert.isPresent() ? "cluster.tls.cert_file" : "cluster.tls.key_file",
          "expected cluster.tls.ca_file, cluster.tls.cert_file and cluster.tls.key_file, or none of"
              + " them");
    }
    return Optional.empty();
  }

  /** The host name without what a node's name may not hold. */
  private NodeId hostNodeId() {
    String host = environment.getOrDefault("HOSTNAME", "");
    Path kernel = Path.of("/proc/sys/kernel/hostname");
    if (host.isBlank() && Files.isReadable(kernel)) {
      try {
        host = Files.readString(kernel);
      } catch (IOException e) {
        host = "";
      }
    }
    String name = host.strip().replaceAll("[^A-Za-z0-9.-]", "-").replaceFirst("^[.-]+", "");
    return new NodeId(name.isEmpty() ? "sip-pbx" : name.substring(0, Math.min(63, name.length())));
  }

  private StandaloneConfig standalone() {
    Optional<Path> dataDir =
        reader.optional("standalone.data_dir", "a folder path", Reader::parsePath);
    return new StandaloneConfig(dataDir.orElseGet(this::stateFolder), dataDir.isEmpty());
  }

  /** The XDG base directory for state. */
  private Path stateFolder() {
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    if (!state.isBlank() && Path.of(state).isAbsolute()) {
      return Path.of(state, "sip-pbx");
    }
    String home = environment.getOrDefault("HOME", "");
    return Path.of(home.isBlank() ? "." : home, ".local", "state", "sip-pbx");
  }

  private RedisConfig redis() {
    var mode = reader.choice("redis.mode", RedisConfig.Mode.class);
    Optional<Secret<String>> uri =
        optionalSecret("redis.uri", "a redis, redis-sentinel or redis-cluster URI");
    if (mode == RedisConfig.Mode.MEMORY && uri.isPresent()) {
      reader.refuse("redis.mode", "expected auto where redis.uri is set");
    }
    var login =
        new RedisConfig.Login(
            reader.optional(
                "redis.username",
                "1 to 128 printable characters",
                text -> matching(USERNAME, text)),
            optionalSecret("redis.password", "a password"),
            optionalSecret("redis.sentinel_password", "a password"),
            reader.integer("redis.database", 0, 1_000_000));
    if (login.username().isPresent() && login.password().isEmpty()) {
      reader.refuse("redis.username", "expected redis.password to be set with it");
    }
    var limits =
        new RedisConfig.Limits(
            reader.millis("redis.command_timeout_ms", 10, 60_000),
            reader.millis("redis.connect_timeout_ms", 10, 60_000),
            reader.seconds("redis.start_timeout", 1, 3_600),
            reader.integer("redis.max_pending", 100, 1_000_000),
            reader.integer("redis.breaker_failures", 1, 1_000),
            reader.millis("redis.breaker_pause_ms", 10, 60_000),
            reader.integer("redis.recent_calls", 0, 10_000_000),
            reader.integer("redis.max_outbox_events", 6_400, 100_000_000));
    var replication =
        new RedisConfig.Replication(
            reader.integer("redis.wait_replicas", 0, 10),
            reader.millis("redis.wait_timeout_ms", 1, 10_000));
    if (replication.replicas() > 0
        && replication.timeout().compareTo(limits.commandTimeout()) >= 0) {
      reader.refuse("redis.wait_timeout_ms", "expected less than redis.command_timeout_ms");
    }
    var tls =
        new RedisConfig.Tls(
            reader.optional("redis.tls.ca_file", "a file path", Reader::parsePath),
            reader.optional("redis.tls.cert_file", "a file path", Reader::parsePath),
            reader.optional("redis.tls.key_file", "a file path", Reader::parsePath),
            reader.flag("redis.tls.verify_host"));
    if (tls.certFile().isPresent() != tls.keyFile().isPresent()) {
      reader.refuse(
          tls.certFile().isPresent() ? "redis.tls.cert_file" : "redis.tls.key_file",
          "expected redis.tls.cert_file and redis.tls.key_file, or neither");
    }
    for (String key :
        List.of(
            "redis.username",
            "redis.database",
            "redis.wait_replicas",
            "redis.tls.ca_file",
            "redis.tls.cert_file")) {
      if (uri.isEmpty() && reader.isSet(key)) {
        notice(key, "has no effect without redis.uri");
      }
    }
    return new RedisConfig(mode, uri, login, limits, replication, tls);
  }

  private Optional<Secret<String>> optionalSecret(String key, String expectation) {
    return reader.secret(
        key,
        expectation + " or nothing",
        text ->
            text.length() > 4_096
                ? Optional.empty()
                : Optional.of(text.isEmpty() ? Optional.empty() : Optional.of(new Secret<>(text))));
  }

  private MediaConfig media() {
    String mode = reader.scalar("media.mode", "a word", text -> matching(WORD, text));
    int start = reader.integer("media.port_pool.start", 1_024, 65_535);
    int end = reader.integer("media.port_pool.end", 1_024, 65_535);
    // A pair is an even port and the next.
    if (start + (start & 1) + 1 > end) {
      reader.refuse(
          "media.port_pool.end", "expected room for a pair of ports from " + start + " on");
    }
    Duration rtpTimeout = reader.seconds("media.rtp_timeout", 0, 86_400);
    List<String> codecs =
        reader.list(
            "media.codec_priority",
            "a list of encoding names",
            text -> matching(CODEC, text).map(name -> name.toLowerCase(Locale.ROOT)));
    var addresses =
        new MediaConfig.Addresses(
            reader.optionalV4("media.bind_ip"),
            advertised("media.advertised_ip", false),
            reader.optionalV6("media.bind_ipv6"),
            advertised("media.advertised_ipv6", true));
    if (addresses.bind().isEmpty() && addresses.bindV6().isEmpty()) {
      reader.refuse("media.bind_ip", "expected an address here or in media.bind_ipv6");
    }
    List<HostPort> nodes =
        reader.list("media.nodes", "a list of host:port", text -> Reader.parseHostPort(text, 1));
    HostPort listen =
        reader.scalar("media.listen", "host:port", text -> Reader.parseHostPort(text, 0));
    var packetLoop = reader.choice("media.packet_loop", MediaConfig.PacketLoop.class);
    int threads = reader.integer("media.threads", 0, 256);
    var portPool =
        new MediaConfig.PortPool(
            start,
            end,
            reader.seconds("media.port_rest", 0, 3_600),
            reader.flag("media.allow_ephemeral_overlap"));
    var sessions =
        new MediaConfig.Sessions(
            reader.integer("media.max_sessions", 1, 1_000_000),
            reader.seconds("media.unconfirmed_timeout", 10, 3_600),
            reader.seconds("media.orphan_timeout", 60, 604_800),
            reader.integer("media.moves_per_second", 1, 100_000));
    return new MediaConfig(
        mode,
        portPool,
        rtpTimeout.isZero() ? Optional.empty() : Optional.of(rtpTimeout),
        codecs,
        addresses,
        nodes,
        listen,
        packetLoop,
        threads,
        sessions);
  }

  private KafkaConfig kafka() {
    List<HostPort> servers =
        reader.list(
            "kafka.bootstrap_servers",
            "a list of host:port",
            text -> Reader.parseHostPort(text, 1));
    Optional<Path> properties =
        reader.optional("kafka.properties_file", "a file path", Reader::parsePath);
    var login =
        new KafkaConfig.Login(
            reader.choice("kafka.security_protocol", KafkaConfig.Protocol.class),
            reader.choice("kafka.sasl_mechanism", KafkaConfig.Mechanism.class),
            reader.optional(
                "kafka.username",
                "1 to 128 printable characters",
                text -> matching(USERNAME, text)),
            optionalSecret("kafka.password", "a password"),
            reader.optional("kafka.ca_file", "a file path", Reader::parsePath));
    if (login.username().isPresent() != login.password().isPresent()) {
      reader.refuse(
          login.username().isPresent() ? "kafka.username" : "kafka.password",
          "expected kafka.username and kafka.password, or neither");
    }
    int replicas = reader.integer("kafka.replication_factor", 0, 100);
    var topics =
        new KafkaConfig.Topics(
            reader.scalar("kafka.call_topic", TOPIC_EXPECTED, Mapping::topic),
            reader.scalar("kafka.registration_topic", TOPIC_EXPECTED, Mapping::topic),
            reader.flag("kafka.create_topics"),
            reader.integer("kafka.partitions", 1, 10_000),
            replicas == 0 ? Optional.empty() : Optional.of(replicas),
            Duration.ofHours(reader.integer("kafka.retention_hours", 1, 87_600)));
    if (topics.calls().equals(topics.registrations())) {
      reader.refuse(
          "kafka.registration_topic", "expected another topic than that of kafka.call_topic");
    }
    return new KafkaConfig(
        servers, properties, login, topics, reader.integer("kafka.max_in_flight", 100, 1_000_000));
  }

  private static Optional<String> topic(String text) {
    return matching(TOPIC, text).filter(name -> !name.equals(".") && !name.equals(".."));
  }

  private CdrConfig cdr() {
    boolean enabled = reader.flag("cdr.enabled");
    Path outputDir = reader.scalar("cdr.output_dir", "a folder path", Reader::parsePath);
    String pattern =
        reader.scalar(
            "cdr.filename_pattern", "a file name with %Y, %m and %d", Mapping::filenamePattern);
    var rotation = reader.choice("cdr.rotation", CdrConfig.Rotation.class);
    if (rotation == CdrConfig.Rotation.HOURLY && !pattern.replace("%%", "").contains("%H")) {
      reader.refuse("cdr.filename_pattern", "expected %H in it with hourly rotation");
    }
    ZoneId zone = reader.scalar("cdr.zone", "a time zone as in Europe/Berlin", Mapping::zone);
    int retentionDays = reader.integer("cdr.retention_days", 0, 36_500);
    int compressDays = reader.integer("cdr.compress_after_days", 0, 36_500);
    return new CdrConfig(
        enabled,
        outputDir,
        !reader.isSet("cdr.output_dir"),
        pattern,
        rotation,
        zone,
        compressDays == 0 ? Optional.empty() : Optional.of(compressDays),
        retentionDays == 0 ? Optional.empty() : Optional.of(retentionDays),
        reader.integer("cdr.queue_length", 100, 10_000_000),
        reader.list(
            "cdr.kafka_partitions",
            "a list of partition numbers",
            text -> matching(PARTITION, text).map(Integer::parseInt).filter(each -> each < 10_000)),
        postgres());
  }

  private Optional<CdrConfig.Postgres> postgres() {
    Optional<String> url =
        reader.optional(
            "cdr.postgres.url",
            "a URL as in jdbc:postgresql://host:5432/database",
            text -> matching(POSTGRES, text));
    Optional<String> username =
        reader.optional(
            "cdr.postgres.username",
            "1 to 128 printable characters",
            text -> matching(USERNAME, text));
    Optional<Secret<String>> password = optionalSecret("cdr.postgres.password", "a password");
    if (url.isEmpty() && username.isPresent()) {
      notice("cdr.postgres.username", "has no effect without cdr.postgres.url");
    }
    return url.map(at -> new CdrConfig.Postgres(at, username, password));
  }

  private static Optional<ZoneId> zone(String text) {
    try {
      return Optional.of(ZoneId.of(text));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> filenamePattern(String text) {
    String fields = text.replace("%%", "");
    boolean named =
        !text.isEmpty()
            && text.length() <= 200
            && text.indexOf('/') < 0
            && text.indexOf('\\') < 0
            && text.chars().allMatch(c -> c >= ' ' && c < 127);
    boolean known = fields.replaceAll("%[YmdH]", "").indexOf('%') < 0;
    boolean dated = fields.contains("%Y") && fields.contains("%m") && fields.contains("%d");
    return named && known && dated ? Optional.of(text) : Optional.empty();
  }

  private LoggingConfig logging() {
    return new LoggingConfig(
        reader.choice("logging.level", LoggingConfig.Level.class),
        reader.choice("logging.format", LoggingConfig.Format.class),
        reader.scalar(
            "logging.output",
            "stdout, stderr or a file path",
            text -> Reader.parsePath(text).map(_ -> text)),
        reader.integer("logging.queue_length", 64, 1_000_000));
  }

  private MonitoringConfig monitoring() {
    var monitoring =
        new MonitoringConfig(
            reader.scalar("monitoring.bind_ip", "an IP address", IpAddress::parse),
            reader.integer("monitoring.prometheus_port", 0, 65_535),
            reader.integer("monitoring.health_check_port", 0, 65_535),
            reader.integer("monitoring.max_connections", 1, 100_000),
            reader.seconds("monitoring.request_timeout", 1, 300));
    if (monitoring.prometheusPort() == monitoring.healthCheckPort()
        && monitoring.prometheusPort() != 0) {
      reader.refuse(
          "monitoring.prometheus_port", "expected another port than monitoring.health_check_port");
    }
    return monitoring;
  }

  private AdminConfig admin() {
    Optional<Secret<String>> token =
        reader.secret(
            "admin.token",
            MIN_SECRET + " to 1024 printable characters without spaces, or nothing",
            text ->
                text.isEmpty()
                    ? Optional.of(Optional.<Secret<String>>empty())
                    : TOKEN.matcher(text).matches()
                        ? Optional.of(Optional.of(new Secret<>(text)))
                        : Optional.empty());
    return new AdminConfig(token, reader.integer("admin.max_requests_per_second", 1, 10_000));
  }

  private static Optional<String> matching(Pattern form, String text) {
    return form.matcher(text).matches() ? Optional.of(text) : Optional.empty();
  }
}
