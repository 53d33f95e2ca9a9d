package io.sippbx.media.relay;

/**
 * Settings and limits of a relay.
 *
 * @param workers threads that relay; 1 to 256
 * @param loop which adapter to use
 * @param maxSessions sessions of the whole relay; an {@code open} above it is refused
 * @param maxDatagramBytes longest datagram that is relayed; a longer one is dropped as invalid
 * @param receiveBufferBytes asked for each socket; 0: the system's default
 * @param sendBufferBytes asked for each socket; 0: the system's default
 * @param audioDscp DSCP of audio, 0 to 63 (EF is 46)
 * @param videoDscp DSCP of video, 0 to 63 (AF41 is 34)
 */
public record RelaySettings(
    int workers,
    LoopChoice loop,
    int maxSessions,
    int maxDatagramBytes,
    int receiveBufferBytes,
    int sendBufferBytes,
    int audioDscp,
    int videoDscp) {

  /** Which adapter moves the packets. */
  public enum LoopChoice {
    /** io_uring or else FFM where they work (Linux on x86-64 and aarch64), else Netty. */
    AUTO,
    /** io_uring through the Foreign Function and Memory API: Linux 6.3 or newer. */
    URING,
    /** epoll through the Foreign Function and Memory API. */
    FFM,
    /** Netty: epoll where its library loads, else NIO. */
    NETTY,
    /** Netty on NIO. */
    NETTY_NIO
  }

  /** One worker a core, the adapter that fits, and the limits of docs/latching.md. */
  public static RelaySettings defaults() {
    return new RelaySettings(
        Math.min(256, Runtime.getRuntime().availableProcessors()),
        LoopChoice.AUTO,
        10_000,
        2_048,
        256 * 1024,
        256 * 1024,
        46,
        34);
  }

  /** The same with another adapter. */
  public RelaySettings withLoop(LoopChoice other) {
    return new RelaySettings(
        workers,
        other,
        maxSessions,
        maxDatagramBytes,
        receiveBufferBytes,
        sendBufferBytes,
        audioDscp,
        videoDscp);
  }

  /** The same with another number of workers. */
  public RelaySettings withWorkers(int other) {
    return new RelaySettings(
        other,
        loop,
        maxSessions,
        maxDatagramBytes,
        receiveBufferBytes,
        sendBufferBytes,
        audioDscp,
        videoDscp);
  }

  /** The same with another limit of sessions. */
  public RelaySettings withMaxSessions(int other) {
    return new RelaySettings(
        workers,
        loop,
        other,
        maxDatagramBytes,
        receiveBufferBytes,
        sendBufferBytes,
        audioDscp,
        videoDscp);
  }

  /** The same with another size of the sockets' receive buffers. */
  public RelaySettings withReceiveBufferBytes(int other) {
    return new RelaySettings(
        workers, loop, maxSessions, maxDatagramBytes, other, sendBufferBytes, audioDscp, videoDscp);
  }

  /** Refuses what could not work, naming it. */
  public RelaySettings {
    require("workers", workers, 1, 256);
    require("maxSessions", maxSessions, 1, 1_000_000);
    require("maxDatagramBytes", maxDatagramBytes, 576, 65_507);
    require("receiveBufferBytes", receiveBufferBytes, 0, 1 << 30);
    require("sendBufferBytes", sendBufferBytes, 0, 1 << 30);
    require("audioDscp", audioDscp, 0, 63);
    require("videoDscp", videoDscp, 0, 63);
  }

  private static void require(String name, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          "Expected " + name + " from " + low + " to " + high + ", but got " + value);
    }
  }
}
