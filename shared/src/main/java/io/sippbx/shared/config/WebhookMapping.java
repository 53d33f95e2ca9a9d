package io.sippbx.shared.config;

import io.sippbx.shared.config.EventsConfig.Receiver;
import io.sippbx.shared.config.EventsConfig.WebhookType;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32;

/** Section {@code events}, from keys to records. */
final class WebhookMapping {

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,62}");
  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9._-]{3,249}");
  private static final Pattern PARTITION = Pattern.compile("[0-9]{1,4}");
  private static final String SECRET_PREFIX = "whsec_";
  private static final int MIN_SECRET_BYTES = 24;
  private static final int MAX_SECRET_BYTES = 64;
  private static final int MAX_SECRETS = 4;
  private static final int MAX_URL = 2_048;
  private static final String URLS = "a list of http or https URLs";
  private static final String SECRETS =
      "a list of whsec_ and the base64 of "
          + MIN_SECRET_BYTES
          + " to "
          + MAX_SECRET_BYTES
          + " bytes";
  private static final String TYPES =
      "a list of: "
          + Arrays.stream(WebhookType.values())
              .map(WebhookType::text)
              .collect(Collectors.joining(", "));

  private final Reader reader;

  WebhookMapping(Reader reader) {
    this.reader = reader;
  }

  EventsConfig events() {
    boolean enabled = reader.flag("events.webhooks_enabled");
    List<URI> urls = reader.list("events.webhook_urls", URLS, WebhookMapping::url);
    List<Secret<String>> secrets =
        reader.secrets("events.webhook_secrets", SECRETS, WebhookMapping::secret);
    if (secrets.size() > MAX_SECRETS) {
      reader.refuseSecret("events.webhook_secrets", "expected at most " + MAX_SECRETS + " secrets");
    }
    var receivers = new ArrayList<Receiver>();
    for (URI url : urls) {
      receivers.add(new Receiver(nameOf(url), url, secrets, List.of()));
    }
    receivers.addAll(
        reader.entries(
            "events.webhooks",
            "a list of entries with url and, optionally, name, secrets and events",
            List.of("name", "url", "secrets", "events"),
            true,
            entry -> receiver(entry, secrets)));
    var names = new LinkedHashSet<String>();
    for (Receiver each : receivers) {
      if (!names.add(each.name())) {
        reader.refuse("events.webhooks", "expected receiver " + each.name() + " once");
      }
    }
    if (receivers.size() > EventsConfig.MAX_RECEIVERS) {
      reader.refuse(
          "events.webhooks",
          "expected at most "
              + EventsConfig.MAX_RECEIVERS
              + " receivers, those of events.webhook_urls among them");
      receivers.subList(EventsConfig.MAX_RECEIVERS, receivers.size()).clear();
    }
    var delivery =
        new EventsConfig.Delivery(
            reader.seconds("events.webhook_timeout", 1, 300),
            reader.integer("events.webhook_retries", 0, 100),
            reader.integer("events.webhook_concurrency", 1, 1_000),
            reader.integer("events.webhook_queue_length", 100, 1_000_000));
    var reach =
        new EventsConfig.Reach(
            reader.flag("events.webhook_private_receivers"),
            reader.optional("events.webhook_ca_file", "a file path", Reader::parsePath));
    Path dir = reader.scalar("events.webhook_dir", "a folder path", Reader::parsePath);
    var records =
        new EventsConfig.Records(
            dir,
            !reader.isSet("events.webhook_dir"),
            reader.integer("events.webhook_log_days", 1, 3_650),
            reader.scalar(
                "events.webhook_dead_letter_topic",
                "3 to 249 letters, digits, dots, hyphens and underscores",
                text -> matching(TOPIC, text)));
    List<Integer> partitions =
        reader.list(
            "events.webhook_kafka_partitions",
            "a list of partition numbers",
            text -> matching(PARTITION, text).map(Integer::parseInt));
    return new EventsConfig(enabled, receivers, delivery, reach, records, partitions);
  }

  private static Optional<Receiver> receiver(
      Reader.EntryReader entry, List<Secret<String>> otherwise) {
    Optional<URI> url = entry.need("url", "an http or https URL", WebhookMapping::url);
    Optional<String> name =
        entry.read(
            "name",
            "1 to 63 small letters, digits, dots, hyphens and underscores, a letter or digit first",
            text -> matching(NAME, text));
    List<Secret<String>> secrets = entry.list("secrets", SECRETS, WebhookMapping::secret);
    if (secrets.size() > MAX_SECRETS) {
      entry.refuse("expected at most " + MAX_SECRETS + " secrets");
    }
    List<WebhookType> types = entry.list("events", TYPES, WebhookType::of);
    return url.map(
        at ->
            new Receiver(
                name.orElseGet(() -> nameOf(at)),
                at,
                entry.has("secrets") ? secrets : otherwise,
                types));
  }

  /** A name for a receiver that nobody has named: its host, and what tells its URLs apart. */
  private static String nameOf(URI url) {
    var sum = new CRC32();
    sum.update(url.toString().getBytes(StandardCharsets.UTF_8));
    String host = url.getHost().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.]", "-");
    String start = host.startsWith("-") ? host.substring(1) : host;
    return String.format(
        Locale.ROOT,
        "%s-%08x",
        start.length() > 50 ? start.substring(0, 50) : start,
        sum.getValue());
  }

  private static Optional<URI> url(String text) {
    try {
      var uri = new URI(text);
      boolean http =
          "http".equalsIgnoreCase(uri.getScheme()) || "https".equalsIgnoreCase(uri.getScheme());
      boolean plain = uri.getRawUserInfo() == null && uri.getRawFragment() == null;
      boolean sized = text.length() <= MAX_URL && uri.getPort() <= 65_535 && uri.getPort() != 0;
      return http && plain && sized && uri.getHost() != null ? Optional.of(uri) : Optional.empty();
    } catch (URISyntaxException e) {
      return Optional.empty();
    }
  }

  private static Optional<Secret<String>> secret(String text) {
    if (!text.startsWith(SECRET_PREFIX)) {
      return Optional.empty();
    }
    try {
      int bytes = Base64.getDecoder().decode(text.substring(SECRET_PREFIX.length())).length;
      return bytes >= MIN_SECRET_BYTES && bytes <= MAX_SECRET_BYTES
          ? Optional.of(new Secret<>(text))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> matching(Pattern form, String text) {
    return form.matcher(text).matches() ? Optional.of(text) : Optional.empty();
  }
}
