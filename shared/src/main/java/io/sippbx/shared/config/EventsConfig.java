package io.sippbx.shared.config;

import java.net.URI;
import java.time.Duration;
import java.util.List;

/**
 * Section {@code events}.
 *
 * @param webhookUrls http or https, absolute
 * @param webhookTimeout of one attempt
 * @param webhookRetries after the first attempt
 */
public record EventsConfig(List<URI> webhookUrls, Duration webhookTimeout, int webhookRetries) {
  /** Copies {@code webhookUrls}. */
  public EventsConfig {
    webhookUrls = List.copyOf(webhookUrls);
  }
}
