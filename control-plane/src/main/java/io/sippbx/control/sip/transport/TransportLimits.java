package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.SipLimits;
import java.time.Duration;

/**
 * Every bound of the transport. What goes over one is refused and counted in {@link
 * TransportCounters}.
 *
 * @param messages of one message
 */
public record TransportLimits(SipLimits messages, Udp udp, Tcp tcp, Switching switching) {

  /** For a node that serves some thousands of phones. */
  public static final TransportLimits DEFAULT =
      new TransportLimits(SipLimits.DEFAULT, Udp.DEFAULT, Tcp.DEFAULT, Switching.DEFAULT);

  /** The same with other limits for TCP. */
  public TransportLimits withTcp(Tcp other) {
    return new TransportLimits(messages, udp, other, switching);
  }

  /** The same with another limit of message size and the like. */
  public TransportLimits withMessages(SipLimits other) {
    return new TransportLimits(other, udp, tcp, switching);
  }

  /** The same with other limits for requests that go by TCP for their size. */
  public TransportLimits withSwitching(Switching other) {
    return new TransportLimits(messages, udp, tcp, other);
  }

  /**
   * Over UDP.
   *
   * @param queuedBytes that wait for a socket whose send buffer is full; more is refused
   */
  public record Udp(int queuedBytes) {

    /** 4 MiB a socket. */
    public static final Udp DEFAULT = new Udp(4 << 20);

    /** Refuses a limit below one. */
    public Udp {
      atLeast(1, queuedBytes, "queuedBytes");
    }
  }

  /**
   * Over TCP.
   *
   * @param accepted connections that peers opened to us; more are closed at once
   * @param acceptedPerPeer the same from one IP address
   * @param opened connections that we opened, those being opened among them; a message that needs
   *     one more fails
   * @param connectTime until an attempt to connect has failed
   * @param firstMessageTime in which a connection that a peer opened must have delivered a valid
   *     message, else it is closed
   * @param halfReadTime from the first octet of a message to its last
   * @param halfReadBytes octets of unfinished messages on all connections; the one that asks for
   *     more is closed. One connection holds at most one message
   * @param idleTime without anything received or sent, after which a connection is closed: longer
   *     than phones register for, so that a silent one stays reachable
   * @param queuedBytesPerConnection that a peer has not taken; the message that goes over fails and
   *     the connection is closed
   * @param queuedBytes the same on all connections
   * @param stalledTime in which a peer must take something of what waits, else it is closed
   * @param lingerTime that a connection stays open for an answer after a malformed message
   */
  public record Tcp(
      int accepted,
      int acceptedPerPeer,
      int opened,
      Duration connectTime,
      Duration firstMessageTime,
      Duration halfReadTime,
      long halfReadBytes,
      Duration idleTime,
      int queuedBytesPerConnection,
      long queuedBytes,
      Duration stalledTime,
      Duration lingerTime) {

    /** For a node that serves some thousands of phones, several hundred behind one address. */
    public static final Tcp DEFAULT =
        new Tcp(
            10_000,
            512,
            10_000,
            Duration.ofSeconds(4),
            Duration.ofSeconds(60),
            Duration.ofSeconds(16),
            64L << 20,
            Duration.ofMinutes(65),
            1 << 20,
            128L << 20,
            Duration.ofSeconds(16),
            Duration.ofSeconds(1));

    /** Refuses limits below one and times that are not positive. */
    public Tcp {
      atLeast(1, accepted, "accepted");
      atLeast(1, acceptedPerPeer, "acceptedPerPeer");
      atLeast(1, opened, "opened");
      atLeast(1, halfReadBytes, "halfReadBytes");
      atLeast(1, queuedBytesPerConnection, "queuedBytesPerConnection");
      atLeast(1, queuedBytes, "queuedBytes");
      positive(connectTime, "connectTime");
      positive(firstMessageTime, "firstMessageTime");
      positive(halfReadTime, "halfReadTime");
      positive(idleTime, "idleTime");
      positive(stalledTime, "stalledTime");
      positive(lingerTime, "lingerTime");
    }

    /** The same with other bounds of the number of connections. */
    public Tcp withConnections(int otherAccepted, int otherPerPeer, int otherOpened) {
      return new Tcp(
          otherAccepted,
          otherPerPeer,
          otherOpened,
          connectTime,
          firstMessageTime,
          halfReadTime,
          halfReadBytes,
          idleTime,
          queuedBytesPerConnection,
          queuedBytes,
          stalledTime,
          lingerTime);
    }

    /** The same with other bounds of what waits to be read or written. */
    public Tcp withBytes(long otherHalfRead, int otherQueuedPerConnection, long otherQueued) {
      return new Tcp(
          accepted,
          acceptedPerPeer,
          opened,
          connectTime,
          firstMessageTime,
          halfReadTime,
          otherHalfRead,
          idleTime,
          otherQueuedPerConnection,
          otherQueued,
          stalledTime,
          lingerTime);
    }

    /** The same with another time to connect. */
    public Tcp withConnectTime(Duration other) {
      return new Tcp(
          accepted,
          acceptedPerPeer,
          opened,
          other,
          firstMessageTime,
          halfReadTime,
          halfReadBytes,
          idleTime,
          queuedBytesPerConnection,
          queuedBytes,
          stalledTime,
          lingerTime);
    }

    /** The same with other times that a peer has. */
    public Tcp withPatience(
        Duration otherFirstMessage,
        Duration otherHalfRead,
        Duration otherIdle,
        Duration otherStalled) {
      return new Tcp(
          accepted,
          acceptedPerPeer,
          opened,
          connectTime,
          otherFirstMessage,
          otherHalfRead,
          halfReadBytes,
          otherIdle,
          queuedBytesPerConnection,
          queuedBytes,
          otherStalled,
          lingerTime);
    }
  }

  /**
   * Of requests for a UDP destination that go by TCP for their size (RFC 3261 18.1.1).
   *
   * @param connectTime until UDP is used instead
   * @param refusedPeers peers that are remembered to take no TCP; the oldest is forgotten
   * @param refusedTime after which such a peer is tried again
   * @param branches transactions that are remembered to go by TCP, so that their CANCEL and ACK do
   *     too; the oldest is forgotten
   * @param branchTime after which such a transaction is forgotten
   */
  public record Switching(
      Duration connectTime,
      int refusedPeers,
      Duration refusedTime,
      int branches,
      Duration branchTime) {

    /**
     * A second to connect; ten minutes of memory for peers; for transactions longer than any may
     * ring (an hour is the most that can be configured).
     */
    public static final Switching DEFAULT =
        new Switching(
            Duration.ofSeconds(1), 1_024, Duration.ofMinutes(10), 50_000, Duration.ofMinutes(65));

    /** Refuses limits below one and times that are not positive. */
    public Switching {
      positive(connectTime, "connectTime");
      atLeast(1, refusedPeers, "refusedPeers");
      positive(refusedTime, "refusedTime");
      atLeast(1, branches, "branches");
      positive(branchTime, "branchTime");
    }
  }

  private static void atLeast(long least, long value, String name) {
    if (value < least) {
      throw new IllegalArgumentException(
          "Expected " + name + " of " + least + " or more, but got " + value);
    }
  }

  private static void positive(Duration value, String name) {
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException("Expected a positive " + name + ", but got " + value);
    }
  }
}
