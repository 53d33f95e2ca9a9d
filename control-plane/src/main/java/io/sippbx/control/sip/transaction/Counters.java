package io.sippbx.control.sip.transaction;

import java.util.concurrent.atomic.AtomicLongArray;

/** Written by the layer's loop only; read from any thread. */
@SuppressWarnings("EnumOrdinal") // the index of a slot in an array of this class
final class Counters {

  /** The kinds come first, in the order of {@link TransactionCounts.Kinds}. */
  enum Kind {
    INVITE_CLIENT,
    NON_INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_SERVER
  }

  enum Counter {
    RETRANSMISSIONS_IN,
    RETRANSMISSIONS_OUT,
    TIMEOUTS,
    TRANSPORT_FAILURES,
    REFUSED_REQUESTS,
    REFUSED_SENDS,
    MALFORMED,
    STRAY_RESPONSES,
    LATE_ANSWERS
  }

  private static final int KINDS = Kind.values().length;

  private final AtomicLongArray created = new AtomicLongArray(KINDS);
  private final AtomicLongArray live = new AtomicLongArray(KINDS);
  private final AtomicLongArray counters = new AtomicLongArray(Counter.values().length);

  void begun(Kind kind) {
    add(created, kind.ordinal(), 1);
    add(live, kind.ordinal(), 1);
  }

  void ended(Kind kind) {
    add(live, kind.ordinal(), -1);
  }

  void count(Counter counter) {
    add(counters, counter.ordinal(), 1);
  }

  TransactionCounts snapshot() {
    return new TransactionCounts(
        kinds(created),
        kinds(live),
        get(Counter.RETRANSMISSIONS_IN),
        get(Counter.RETRANSMISSIONS_OUT),
        get(Counter.TIMEOUTS),
        get(Counter.TRANSPORT_FAILURES),
        get(Counter.REFUSED_REQUESTS),
        get(Counter.REFUSED_SENDS),
        get(Counter.MALFORMED),
        get(Counter.STRAY_RESPONSES),
        get(Counter.LATE_ANSWERS));
  }

  private long get(Counter counter) {
    return counters.getOpaque(counter.ordinal());
  }

  private static TransactionCounts.Kinds kinds(AtomicLongArray of) {
    return new TransactionCounts.Kinds(
        of.getOpaque(Kind.INVITE_CLIENT.ordinal()),
        of.getOpaque(Kind.NON_INVITE_CLIENT.ordinal()),
        of.getOpaque(Kind.INVITE_SERVER.ordinal()),
        of.getOpaque(Kind.NON_INVITE_SERVER.ordinal()));
  }

  // One writer: no atomic addition needed.
  private static void add(AtomicLongArray to, int index, long amount) {
    to.setOpaque(index, to.getPlain(index) + amount);
  }
}
