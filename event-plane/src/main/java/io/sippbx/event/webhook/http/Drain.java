package io.sippbx.event.webhook.http;

import com.linecorp.armeria.common.HttpData;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** Drops a body, and gives up on one that is long. On one event loop. */
final class Drain implements Subscriber<HttpData> {

  private final long most;
  private long octets;
  private @Nullable Subscription subscription;

  /**
   * A drain.
   *
   * @param most octets that are worth reading
   */
  Drain(long most) {
    this.most = most;
  }

  @Override
  public void onSubscribe(Subscription begun) {
    subscription = begun;
    begun.request(1);
  }

  @Override
  public void onNext(HttpData data) {
    octets += data.length();
    data.close();
    Subscription open = subscription;
    if (open != null) {
      if (octets > most) {
        open.cancel();
      } else {
        open.request(1);
      }
    }
  }

  @Override
  public void onError(Throwable problem) {
    // The status was there: what follows it says nothing more.
  }

  @Override
  public void onComplete() {}
}
