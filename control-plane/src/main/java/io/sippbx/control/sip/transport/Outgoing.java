package io.sippbx.control.sip.transport;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A message on its way out over a connection. Fails at most once. */
final class Outgoing {

  /** What an entry in a queue takes beside its octets, so that small ones cannot fill memory. */
  private static final int ENTRY_BYTES = 256;

  private final byte[] octets;
  private final Consumer<SendFailure> onFailure;
  private final @Nullable Consumer<Outgoing> onLost;
  private final AtomicBoolean settled = new AtomicBoolean();
  private final boolean message;

  private Outgoing(
      byte[] octets,
      boolean message,
      Consumer<SendFailure> onFailure,
      @Nullable Consumer<Outgoing> onLost) {
    this.octets = octets;
    this.message = message;
    this.onFailure = onFailure;
    this.onLost = onLost;
  }

  /** A message that fails when its connection does. */
  static Outgoing once(byte[] octets, Consumer<SendFailure> onFailure) {
    return new Outgoing(octets, true, onFailure, null);
  }

  /**
   * A message for which another way is tried when its connection turns out to be lost. The peer may
   * have had it already: a repeat does no harm, since its transaction absorbs it.
   *
   * @param onLost is given the message as one that fails the next time
   */
  static Outgoing withAnotherWay(
      byte[] octets, Consumer<SendFailure> onFailure, Consumer<Outgoing> onLost) {
    return new Outgoing(octets, true, onFailure, onLost);
  }

  /** No message, and nobody who wants to know. */
  static Outgoing keepAlive(byte[] octets) {
    return new Outgoing(octets, false, failure -> {}, null);
  }

  byte[] octets() {
    return octets;
  }

  boolean isMessage() {
    return message;
  }

  int cost() {
    return octets.length + ENTRY_BYTES;
  }

  void sent() {
    settled.set(true);
  }

  void failed(SendFailure failure) {
    if (!settled.compareAndSet(false, true)) {
      return;
    }
    if (onLost != null && failure.reason() == SendFailure.Reason.CONNECTION_LOST) {
      onLost.accept(once(octets, onFailure));
    } else {
      onFailure.accept(failure);
    }
  }
}
