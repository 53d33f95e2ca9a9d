package io.sippbx.control.registrar.binding;

import io.sippbx.control.carried.Carried;
import io.sippbx.control.sip.auth.NonceCounts;
import io.sippbx.control.sip.message.CallId;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The record of an address-of-record. Immutable.
 *
 * @param bindings in the order in which they came; some may have expired
 * @param nonces the counts of the nonces that its owner used
 * @param recent the last request of each Call-ID, oldest first, so that a repeat is known as one
 * @param toldSeq of the last event that was told; 0: none was
 * @param carried what a newer node added and this one does not know
 */
public record Registration(
    List<Binding> bindings,
    NonceCounts nonces,
    List<Recent> recent,
    long toldSeq,
    Carried carried) {

  /** Nothing is registered. */
  public static final Registration EMPTY = new Registration(List.of(), NonceCounts.NONE, List.of());

  /**
   * A record is kept for so long after the end of its last contact, for who tells of that end: a
   * keeper does within seconds, unless there is none.
   */
  public static final Duration UNTOLD = Duration.ofHours(1);

  /** Requests that are remembered. */
  public static final int MAX_RECENT = 16;

  /** Copies the lists. */
  public Registration {
    bindings = List.copyOf(bindings);
    recent = List.copyOf(recent);
  }

  /** One of which nothing was told, and of which this node knows all. */
  public Registration(List<Binding> bindings, NonceCounts nonces, List<Recent> recent) {
    this(bindings, nonces, recent, 0, Carried.NOTHING);
  }

  /**
   * A request that was carried out.
   *
   * @param fingerprint of what it asked for
   */
  public record Recent(CallId callId, long cSeq, long fingerprint) {}

  /** The bindings that hold at {@code now}. */
  public List<Binding> live(Instant now) {
    return bindings.stream().filter(binding -> binding.isLive(now)).toList();
  }

  /**
   * From when on nothing in the record matters to anybody and the store may drop it; {@link
   * Instant#EPOCH} when that is so already.
   */
  public Instant expiresAt() {
    Instant last = nonces.expiresAt();
    for (Binding binding : bindings) {
      Instant told = binding.expiresAt().plus(UNTOLD);
      last = told.isAfter(last) ? told : last;
    }
    return last;
  }

  /** When the time of the first contact is over that is in it; empty: there is none. */
  public Optional<Instant> firstEnd() {
    return bindings.stream().map(Binding::expiresAt).min(Comparator.naturalOrder());
  }
}
