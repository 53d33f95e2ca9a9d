package io.sippbx.event.webhook;

import java.util.function.Consumer;

/** Who posts to one receiver. */
public interface WebhookSender {

  /**
   * Begins an attempt; never waits.
   *
   * @param answer is told once what became of it, on any thread and inline too
   */
  void post(Webhook webhook, Consumer<Outcome> answer);
}
