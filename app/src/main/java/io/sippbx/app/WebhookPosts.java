package io.sippbx.app;

import io.sippbx.event.webhook.DeadLetters;
import io.sippbx.event.webhook.DeliveryLog;
import io.sippbx.event.webhook.WebhookFolder;
import io.sippbx.event.webhook.WebhookReceiver;
import io.sippbx.event.webhook.http.HttpWebhooks;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.telemetry.EventMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The receivers of webhooks that this process posts to. */
final class WebhookPosts implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(WebhookPosts.class);

  private final WebhookFolder folder;
  private final DeliveryLog deliveries;
  private final HttpWebhooks http;
  private final List<WebhookReceiver> receivers = new ArrayList<>();

  private WebhookPosts(WebhookFolder folder, DeliveryLog deliveries, HttpWebhooks http) {
    this.folder = folder;
    this.deliveries = deliveries;
    this.http = http;
  }

  /**
   * Starts them.
   *
   * @param otherwise for what is known of deliveries, when the default folder cannot be written
   * @param deadLetters where they are, by the folder
   * @throws IOException if a file or folder that is configured is of no use; names the key
   */
  static WebhookPosts start(
      EventsConfig config,
      Optional<Path> otherwise,
      WebhookReceiver.Source source,
      Function<Path, DeadLetters> deadLetters,
      Metrics metrics)
      throws IOException {
    HttpWebhooks http =
        HttpWebhooks.open(config.reach(), config.delivery().timeout(), Clock.systemUTC());
    WebhookFolder folder;
    try {
      folder = WebhookFolder.open(config.records(), otherwise);
    } catch (IOException e) {
      http.close();
      throw e;
    }
    folder
        .notice()
        .ifPresent(notice -> log.atWarn().addKeyValue("notice", notice).log("webhook.folder"));
    var deliveries = new DeliveryLog(folder.path(), config.records().logDays(), Clock.systemUTC());
    deliveries.bind(metrics);
    var posts = new WebhookPosts(folder, deliveries, http);
    DeadLetters letters = deadLetters.apply(folder.path());
    for (EventsConfig.Receiver each : config.receivers()) {
      WebhookReceiver receiver =
          WebhookReceiver.start(
              each, config.delivery(), source, http.to(each), letters, deliveries);
      posts.receivers.add(receiver);
      receiver.bind(metrics, posts.receivers.size());
      log.atInfo()
          .addKeyValue("receiver", each.name())
          .addKeyValue("place", posts.receivers.size())
          .addKeyValue("signed", !each.secrets().isEmpty())
          .log("webhook.receiver");
    }
    List<WebhookReceiver> all = List.copyOf(posts.receivers);
    metrics.counter(
        EventMetric.WEBHOOK_REQUESTS,
        () -> all.stream().mapToLong(WebhookReceiver::requests).sum());
    metrics.counter(
        EventMetric.WEBHOOK_FAILURES,
        () -> all.stream().mapToLong(WebhookReceiver::failures).sum());
    return posts;
  }

  /** In the order of the configuration. */
  List<WebhookReceiver> receivers() {
    return List.copyOf(receivers);
  }

  /** Where it is noted what became of deliveries. */
  Path folder() {
    return folder.path();
  }

  @Override
  public void close() {
    receivers.forEach(WebhookReceiver::close);
    http.close();
    deliveries.close();
    try {
      folder.close();
    } catch (IOException e) {
      log.atDebug().setCause(e).log("webhook.folder-close");
    }
  }
}
