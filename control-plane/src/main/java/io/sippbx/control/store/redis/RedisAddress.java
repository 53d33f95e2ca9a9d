package io.sippbx.control.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where Redis is: what {@code redis.uri} says. */
public sealed interface RedisAddress {

  /** Whether connections are encrypted. */
  boolean tls();

  /** One server. */
  record Single(Host server, boolean tls) implements RedisAddress {}

  /**
   * Sentinels that know the primary.
   *
   * @param master the name that they know it by
   */
  record Sentinel(List<Host> sentinels, String master, boolean tls) implements RedisAddress {
    /** Copies {@code sentinels}. */
    public Sentinel {
      sentinels = List.copyOf(sentinels);
    }
  }

  /**
   * A Redis Cluster.
   *
   * @param seeds some of its nodes, from which the others are learned
   */
  record Cluster(List<Host> seeds, boolean tls) implements RedisAddress {
    /** Copies {@code seeds}. */
    public Cluster {
      seeds = List.copyOf(seeds);
    }
  }

  /**
   * A server.
   *
   * @param name a name or an address; of an IPv6 address without brackets
   */
  record Host(String name, int port) {
    /** Refuses what is no port. */
    public Host {
      if (port < 1 || port > 65535) {
        throw new IllegalArgumentException("Expected a port of 1 to 65535, but got " + port);
      }
    }

    /** {@code name:port}, an IPv6 address in brackets. */
    @Override
    public String toString() {
      return (name.indexOf(':') >= 0 ? "[" + name + "]" : name) + ":" + port;
    }
  }

  /** Hosts of one URI at most. */
  int MAX_HOSTS = 32;

  /** What a text was. */
  sealed interface Parsed {}

  /** An address. */
  record Valid(RedisAddress address) implements Parsed {}

  /**
   * No address.
   *
   * @param expected what was expected in its place; never the text, which may hold a password
   */
  record Invalid(String expected) implements Parsed {}

  /**
   * Reads {@code redis://host[:port]}, {@code redis-sentinel://host[:port],...#master} or {@code
   * redis-cluster://host[:port],...}; {@code rediss} in place of {@code redis} is TLS. Ports are
   * 6379, and 26379 of sentinels, where not given. User, password and database have settings of
   * their own and are refused here, where they would be seen in logs.
   */
  static Parsed parse(String uri) {
    Matcher parts = Forms.URI.matcher(uri);
    if (!parts.matches()) {
      return new Invalid(
          "redis://, redis-sentinel:// or redis-cluster:// (rediss for TLS) and host:port");
    }
    if (parts.group("hosts").indexOf('@') >= 0) {
      return new Invalid("no user and password in the URI: set redis.username, redis.password");
    }
    if (!parts.group("path").isEmpty()) {
      return new Invalid("no database and no options in the URI: set redis.database");
    }
    String kind = parts.group("kind").toLowerCase(Locale.ROOT);
    boolean tls = !parts.group("tls").isEmpty();
    String master = parts.group("master");
    var hosts = new ArrayList<Host>();
    for (String each : parts.group("hosts").split(",", -1)) {
      Matcher host = Forms.HOST.matcher(each);
      if (!host.matches() || hosts.size() == MAX_HOSTS) {
        return new Invalid("1 to " + MAX_HOSTS + " hosts as name:port or [IPv6]:port");
      }
      int port = kind.equals("-sentinel") ? 26379 : 6379;
      if (host.group("port") != null) {
        port = Integer.parseInt(host.group("port"));
        if (port < 1 || port > 65535) {
          return new Invalid("a port of 1 to 65535");
        }
      }
      hosts.add(new Host(host.group("v6") != null ? host.group("v6") : host.group("name"), port));
    }
    if (kind.equals("-sentinel") != (master != null)) {
      return new Invalid(
          kind.equals("-sentinel")
              ? "the primary's name at the end, as in redis-sentinel://host:26379#mymaster"
              : "no # but after redis-sentinel://");
    }
    return switch (kind) {
      case "-sentinel" -> new Valid(new Sentinel(hosts, master, tls));
      case "-cluster" -> new Valid(new Cluster(hosts, tls));
      default ->
          hosts.size() == 1
              ? new Valid(new Single(hosts.getFirst(), tls))
              : new Invalid("one host; several are for redis-sentinel:// and redis-cluster://");
    };
  }

  /** The forms of URIs and of the hosts in them. */
  final class Forms {
    private static final Pattern URI =
        Pattern.compile(
            "(?i:redis(?<tls>s?)(?<kind>|-sentinel|-cluster))://(?<hosts>[^/?#]+)(?<path>[^#]*)"
                + "(?:#(?<master>[A-Za-z0-9._-]{1,128}))?");

    private static final Pattern HOST =
        Pattern.compile(
            "(?:\\[(?<v6>[0-9A-Fa-f:.%a-z]+)]|(?<name>[A-Za-z0-9._-]{1,253}))(?::(?<port>\\d{1,5}))?");

    private Forms() {}
  }
}
