package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.TransportProtocol;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What the transport did, since it started. Written by the event loops, read from any thread; a
 * reading is not a snapshot across counters.
 */
public final class TransportCounters {

  /** Why something that came in was not passed up. */
  public enum Drop {
    /** A datagram above the limit of message size. */
    TOO_LARGE,
    /** A STUN packet (RFC 5626 4.4.2), which is not answered yet. */
    STUN,
    /** From port 0, or another address family than the listener's: nowhere to answer to. */
    SOURCE,
    /** A response whose topmost Via is none of our addresses (RFC 3261 18.1.2). */
    FOREIGN_RESPONSE,
    /** A peer's connection above the limit of all. */
    CONNECTION_LIMIT,
    /** A peer's connection above the limit of its IP address. */
    PEER_CONNECTION_LIMIT,
    /** Read after the transport was shut down, or before it was started. */
    CLOSED
  }

  /** Why a connection ended. */
  public enum Closed {
    /** The peer closed it. */
    BY_PEER,
    /** It broke. */
    BROKEN,
    /** It could not be opened. */
    NOT_OPENED,
    /** Nothing went over it for the longest time that is allowed. */
    IDLE,
    /** The peer opened it and did not deliver a message. */
    NO_MESSAGE,
    /** A message was begun and not finished in time. */
    HALF_READ_TIME,
    /** Unfinished messages of all connections took more memory than is allowed. */
    HALF_READ_BYTES,
    /** The peer takes less than is sent to it, and the queue is full. */
    QUEUE_FULL,
    /** The peer has taken nothing for too long. */
    STALLED,
    /** What came is no SIP, and the start of the next message cannot be found. */
    MALFORMED,
    /** The transport was shut down. */
    SHUTDOWN
  }

  private final Table<TransportProtocol> received = new Table<>(TransportProtocol.class);
  private final Table<TransportProtocol> sent = new Table<>(TransportProtocol.class);
  private final Table<TransportProtocol> malformed = new Table<>(TransportProtocol.class);
  private final Table<TransportProtocol> keepAlives = new Table<>(TransportProtocol.class);
  private final Table<Drop> dropped = new Table<>(Drop.class);
  private final Table<SendFailure.Reason> failures = new Table<>(SendFailure.Reason.class);
  private final Table<Closed> closed = new Table<>(Closed.class);
  private final LongAdder switchedToTcp = new LongAdder();
  private final LongAdder switchedBack = new LongAdder();
  private final LongAdder reused = new LongAdder();
  final AtomicInteger acceptedConnections = new AtomicInteger();
  final AtomicInteger openedConnections = new AtomicInteger();
  final AtomicLong queuedBytes = new AtomicLong();
  final AtomicLong halfReadBytes = new AtomicLong();
  private volatile LongSupplier kernelDrops = () -> 0;

  TransportCounters() {}

  /** Messages that came in and parsed. */
  public long received(TransportProtocol protocol) {
    return received.sum(protocol);
  }

  /** Messages given to a socket. */
  public long sent(TransportProtocol protocol) {
    return sent.sum(protocol);
  }

  /** What came in and is no valid message. */
  public long malformed(TransportProtocol protocol) {
    return malformed.sum(protocol);
  }

  /** Keep-alives that came in. */
  public long keepAlives(TransportProtocol protocol) {
    return keepAlives.sum(protocol);
  }

  /** What came in and was dropped. */
  public long dropped(Drop reason) {
    return dropped.sum(reason);
  }

  /** Messages that were not sent. */
  public long failures(SendFailure.Reason reason) {
    return failures.sum(reason);
  }

  /** Connections that ended. */
  public long closed(Closed reason) {
    return closed.sum(reason);
  }

  /** Requests for a UDP destination that went by TCP for their size. */
  public long switchedToTcp() {
    return switchedToTcp.sum();
  }

  /** Those of them that went by UDP after all. */
  public long switchedBack() {
    return switchedBack.sum();
  }

  /** Messages that went over a connection that was there before them. */
  public long reused() {
    return reused.sum();
  }

  /** Live connections that peers opened. */
  public int acceptedConnections() {
    return acceptedConnections.get();
  }

  /** Connections that we opened or are opening. */
  public int openedConnections() {
    return openedConnections.get();
  }

  /** Octets that wait to be taken by peers, over all connections. */
  public long queuedBytes() {
    return queuedBytes.get();
  }

  /** Octets of unfinished messages, over all connections. */
  public long halfReadBytes() {
    return halfReadBytes.get();
  }

  /**
   * Datagrams that the kernel dropped because a receive buffer was full, on our UDP addresses (in
   * shared-address mode those of the other processes too). Reads a file; 0 where there is none.
   */
  public long kernelDrops() {
    return kernelDrops.getAsLong();
  }

  void countReceived(TransportProtocol protocol) {
    received.increment(protocol);
  }

  void countSent(TransportProtocol protocol) {
    sent.increment(protocol);
  }

  void countMalformed(TransportProtocol protocol) {
    malformed.increment(protocol);
  }

  void countKeepAlive(TransportProtocol protocol) {
    keepAlives.increment(protocol);
  }

  void countDropped(Drop reason) {
    dropped.increment(reason);
  }

  void countFailure(SendFailure.Reason reason) {
    failures.increment(reason);
  }

  void countClosed(Closed reason) {
    closed.increment(reason);
  }

  void countSwitchedToTcp() {
    switchedToTcp.increment();
  }

  void countSwitchedBack() {
    switchedBack.increment();
  }

  void countReused() {
    reused.increment();
  }

  void kernelDropsFrom(LongSupplier supplier) {
    kernelDrops = supplier;
  }

  /** A counter for each constant; the map does not change after it is made. */
  private static final class Table<E extends Enum<E>> {
    private final Map<E, LongAdder> adders;

    Table(Class<E> type) {
      adders = new EnumMap<>(type);
      for (E each : type.getEnumConstants()) {
        adders.put(each, new LongAdder());
      }
    }

    void increment(E each) {
      adder(each).increment();
    }

    long sum(E each) {
      return adder(each).sum();
    }

    private LongAdder adder(E each) {
      return Objects.requireNonNull(adders.get(each));
    }
  }
}
