package io.sippbx.control.sip.transport;

import io.sippbx.shared.identity.Member;
import java.util.List;
import java.util.Optional;

/**
 * How the transport is set up.
 *
 * @param listeners where to receive; the first of a transport and address family is the one that is
 *     told to peers where nothing else decides
 * @param shareAddress whether other processes may be bound to the same addresses and share the load
 *     (SO_REUSEPORT; native transport only). Without it an address that is in use is an error
 * @param udpSocketsPerListener sockets that share a UDP address, each on its own event loop; 0 is
 *     one for each loop. Without the native transport there is one
 * @param receiveBufferBytes asked of the system for each UDP socket
 * @param tcpAboveBytes size of a request from which on TCP is tried where UDP was asked for; RFC
 *     3261 18.1.1 says 1,300 where the path MTU is unknown
 * @param member who this is, for the flows of its connections
 */
public record TransportSettings(
    List<Listener> listeners,
    boolean shareAddress,
    int udpSocketsPerListener,
    int receiveBufferBytes,
    int tcpAboveBytes,
    TransportLimits limits,
    Optional<Member> member) {

  /** Size above which a request is sent by TCP where possible. */
  public static final int MTU_THRESHOLD_BYTES = 1_300;

  private static final int RECEIVE_BUFFER_BYTES = 4 << 20;

  /** Copies {@code listeners} and refuses what could not work. */
  public TransportSettings {
    listeners = List.copyOf(listeners);
    if (listeners.isEmpty()) {
      throw new IllegalArgumentException("Expected at least one listener, but got none");
    }
    if (udpSocketsPerListener < 0 || receiveBufferBytes < 1 || tcpAboveBytes < 1) {
      throw new IllegalArgumentException(
          "Expected sockets of 0 or more and sizes of 1 or more, but got "
              + udpSocketsPerListener
              + ", "
              + receiveBufferBytes
              + ", "
              + tcpAboveBytes);
    }
  }

  /** These listeners, and all else by default. */
  public static TransportSettings of(List<Listener> listeners) {
    return new TransportSettings(
        listeners,
        false,
        0,
        RECEIVE_BUFFER_BYTES,
        MTU_THRESHOLD_BYTES,
        TransportLimits.DEFAULT,
        Optional.empty());
  }

  /** The same with other limits. */
  public TransportSettings withLimits(TransportLimits other) {
    return new TransportSettings(
        listeners,
        shareAddress,
        udpSocketsPerListener,
        receiveBufferBytes,
        tcpAboveBytes,
        other,
        member);
  }

  /** The same with another number of sockets for each UDP listener. */
  public TransportSettings withUdpSockets(int perListener) {
    return new TransportSettings(
        listeners, shareAddress, perListener, receiveBufferBytes, tcpAboveBytes, limits, member);
  }

  /** The same, asking for another receive buffer. */
  public TransportSettings withReceiveBuffer(int bytes) {
    return new TransportSettings(
        listeners, shareAddress, udpSocketsPerListener, bytes, tcpAboveBytes, limits, member);
  }

  /** The same, sharing its addresses with other processes or not. */
  public TransportSettings withSharedAddress(boolean shared) {
    return new TransportSettings(
        listeners,
        shared,
        udpSocketsPerListener,
        receiveBufferBytes,
        tcpAboveBytes,
        limits,
        member);
  }

  /** The same, of this member. */
  public TransportSettings ofMember(Member of) {
    return new TransportSettings(
        listeners,
        shareAddress,
        udpSocketsPerListener,
        receiveBufferBytes,
        tcpAboveBytes,
        limits,
        Optional.of(of));
  }

  /** Who holds flows over UDP: nobody by himself where the address is shared. */
  Optional<Member> udpHolder() {
    return shareAddress ? Optional.empty() : member;
  }
}
