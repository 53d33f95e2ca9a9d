package io.sippbx.event.webhook;

import java.util.ArrayList;
import java.util.List;

/** One event on its way to one receiver. Belongs to the receiver's queue. */
final class WebhookItem {

  private final Webhook webhook;
  private final boolean wanted;
  private final List<Runnable> dones = new ArrayList<>(1);
  private int attempts;

  /**
   * An event.
   *
   * @param wanted whether it is to be posted; others are there for the order only
   */
  WebhookItem(Webhook webhook, boolean wanted, Runnable done) {
    this.webhook = webhook;
    this.wanted = wanted;
    dones.add(done);
  }

  Webhook webhook() {
    return webhook;
  }

  boolean isWanted() {
    return wanted;
  }

  /** Attempts begun. */
  int attempts() {
    return attempts;
  }

  void attempt() {
    attempts++;
  }

  /** The same event came again: who brought it waits too. */
  void alsoFor(Runnable done) {
    dones.add(done);
  }

  List<Runnable> dones() {
    return List.copyOf(dones);
  }
}
