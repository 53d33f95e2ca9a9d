package io.sippbx.control.media;

/** Where media nodes are to be found. */
public sealed interface MediaTarget {

  /**
   * Every address of {@code host} is a media node, or another way to one.
   *
   * @param host a name that is resolved again and again, or an IP literal without brackets
   * @param port 1 to 65535
   */
  record Network(String host, int port) implements MediaTarget {
    /** Refuses an empty name and a port out of range. */
    public Network {
      if (host.isBlank() || port < 1 || port > 65_535) {
        throw new IllegalArgumentException(
            "Expected a host and a port from 1 to 65535, but got " + host + ":" + port);
      }
    }

    @Override
    public String toString() {
      return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
  }

  /** The node that listens by this name within the process. */
  record InProcess(String name) implements MediaTarget {
    @Override
    public String toString() {
      return "in-process:" + name;
    }
  }

  /**
   * The target that {@code host:port} is; an IPv6 literal stands in brackets.
   *
   * @throws IllegalArgumentException if it is none
   */
  static MediaTarget of(String hostAndPort) {
    int colon = hostAndPort.lastIndexOf(':');
    String host = colon < 0 ? "" : hostAndPort.substring(0, colon);
    String port = colon < 0 ? "" : hostAndPort.substring(colon + 1);
    boolean bracketed = host.startsWith("[") && host.endsWith("]");
    if (bracketed) {
      host = host.substring(1, host.length() - 1);
    }
    if (host.isBlank() || bracketed != host.indexOf(':') >= 0 || !port.matches("[0-9]{1,5}")) {
      throw new IllegalArgumentException(
          "Expected host:port, or [address]:port for IPv6, but got " + hostAndPort);
    }
    return new Network(host, Integer.parseInt(port));
  }
}
