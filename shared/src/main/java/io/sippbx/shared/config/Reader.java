package io.sippbx.shared.config;

import io.sippbx.shared.net.IpAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Reads values by key and type. A value that is not as expected becomes a {@link Problem}, and the
 * default is given in its place so that reading goes on to the next.
 */
final class Reader {

  private static final int MAX_ITEMS = 100_000;

  private final Settings settings;
  private final List<Problem> problems;
  private final Map<String, String> expectations = new LinkedHashMap<>();

  Reader(Settings settings, List<Problem> problems) {
    this.settings = settings;
    this.problems = problems;
  }

  /** What is expected of each key that was read, in the order of reading. */
  Map<String, String> expectations() {
    return expectations;
  }

  boolean isSet(String key) {
    return settings.isSet(key);
  }

  /** Whether the value is a list without items. */
  boolean isEmptyList(String key) {
    return switch (settings.value(key)) {
      case Yaml.Scalar scalar -> scalar.text().isBlank();
      case Yaml.Sequence sequence -> sequence.items().isEmpty();
      case Yaml.Mapping _, Yaml.Nothing _ -> false;
    };
  }

  /** Says that the value of a key does not go with others. */
  void refuse(String key, String expectation) {
    Yaml value = settings.value(key);
    problems.add(new Problem(key, value.shown(), expectation, value.origin()));
  }

  /** As {@link #refuse}, but the value is not shown. */
  void refuseSecret(String key, String expectation) {
    problems.add(new Problem(key, Secret.REDACTED, expectation, settings.value(key).origin()));
  }

  /** Something about the value of a key that is worth a warning. */
  Problem notice(String key, String text) {
    Yaml value = settings.value(key);
    return new Problem(key, value.shown(), text, value.origin());
  }

  int integer(String key, int min, int max) {
    return Math.toIntExact(longInteger(key, min, max));
  }

  long longInteger(String key, long min, long max) {
    return scalar(
        key,
        "an integer from " + min + " to " + max,
        text -> parseLong(text).filter(value -> value >= min && value <= max));
  }

  Duration seconds(String key, int min, int max) {
    return Duration.ofSeconds(integer(key, min, max));
  }

  Duration millis(String key, int min, int max) {
    return Duration.ofMillis(integer(key, min, max));
  }

  boolean flag(String key) {
    return scalar(
        key,
        "true or false",
        text ->
            switch (text.toLowerCase(Locale.ROOT)) {
              case "true" -> Optional.of(true);
              case "false" -> Optional.of(false);
              default -> Optional.empty();
            });
  }

  <E extends Enum<E>> E choice(String key, Class<E> type) {
    return scalar(key, "one of: " + names(type), text -> constant(text, type));
  }

  <E extends Enum<E>> List<E> choices(String key, Class<E> type) {
    return list(key, "a list of: " + names(type), text -> constant(text, type));
  }

  private static <E extends Enum<E>> String names(Class<E> type) {
    return Arrays.stream(type.getEnumConstants())
        .map(Reader::name)
        .collect(Collectors.joining(", "));
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static <E extends Enum<E>> Optional<E> constant(String text, Class<E> type) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> constant.name().equalsIgnoreCase(text))
        .findFirst();
  }

  <T> T scalar(String key, String expectation, Function<String, Optional<T>> parse) {
    return scalar(key, expectation, parse, false);
  }

  /** As {@link #scalar}, but the value is never shown. */
  <T> T secret(String key, String expectation, Function<String, Optional<T>> parse) {
    return scalar(key, expectation, parse, true);
  }

  private <T> T scalar(
      String key, String expectation, Function<String, Optional<T>> parse, boolean secret) {
    expectations.put(key, expectation);
    Yaml value = settings.value(key);
    Optional<T> parsed =
        value instanceof Yaml.Scalar scalar ? parse.apply(scalar.text()) : Optional.empty();
    if (parsed.isPresent()) {
      return parsed.get();
    }
    wrong(key, value, expectation, secret);
    if (settings.byDefault(key) instanceof Yaml.Scalar byDefault) {
      return parse.apply(byDefault.text()).orElseThrow(() -> badDefault(key));
    }
    throw badDefault(key);
  }

  private static IllegalStateException badDefault(String key) {
    return new IllegalStateException("the default of " + key + " is not as expected");
  }

  private void wrong(String key, Yaml value, String expectation, boolean secret) {
    problems.add(
        new Problem(
            key,
            secret ? Secret.REDACTED : value.shown(),
            "expected " + expectation,
            value.origin()));
  }

  /** A scalar that may be empty for "none". */
  <T> Optional<T> optional(String key, String expectation, Function<String, Optional<T>> parse) {
    Function<String, Optional<Optional<T>>> orNothing =
        text -> {
          if (text.isEmpty()) {
            return Optional.of(Optional.empty());
          }
          Optional<T> value = parse.apply(text);
          return value.isPresent() ? Optional.of(value) : Optional.empty();
        };
    return scalar(key, expectation + " or nothing", orNothing);
  }

  Optional<IpAddress> optionalIp(String key) {
    return optional(key, "an IP address", IpAddress::parse);
  }

  Optional<IpAddress> optionalV4(String key) {
    return optional(key, "an IPv4 address", text -> IpAddress.parse(text).filter(ip -> !ip.isV6()));
  }

  Optional<IpAddress> optionalV6(String key) {
    return optional(key, "an IPv6 address", text -> IpAddress.parse(text).filter(IpAddress::isV6));
  }

  /** A list of scalars; a scalar is taken as a comma-separated list. */
  <T> List<T> list(String key, String expectation, Function<String, Optional<T>> parse) {
    expectations.put(key, expectation);
    return items(key, settings.value(key), expectation, parse, false);
  }

  /** As {@link #list}, but the values are never shown. */
  <T> List<T> secrets(String key, String expectation, Function<String, Optional<T>> parse) {
    expectations.put(key, expectation);
    return items(key, settings.value(key), expectation, parse, true);
  }

  private <T> List<T> items(
      String key,
      Yaml value,
      String expectation,
      Function<String, Optional<T>> parse,
      boolean secret) {
    var items = new ArrayList<T>();
    List<Yaml> nodes =
        switch (value) {
          case Yaml.Sequence sequence -> sequence.items();
          case Yaml.Scalar scalar -> split(scalar);
          case Yaml.Mapping mapping -> List.of(mapping);
          case Yaml.Nothing nothing -> List.of(nothing);
        };
    if (nodes.size() > MAX_ITEMS) {
      problems.add(
          new Problem(key, "", "expected at most " + MAX_ITEMS + " items", value.origin()));
      return List.of();
    }
    for (int i = 0; i < nodes.size(); i++) {
      Yaml node = nodes.get(i);
      Optional<T> item =
          node instanceof Yaml.Scalar scalar ? parse.apply(scalar.text()) : Optional.empty();
      if (item.isPresent()) {
        items.add(item.get());
      } else {
        wrong(nodes.size() == 1 ? key : key + "[" + i + "]", node, expectation, secret);
      }
    }
    return items;
  }

  private static List<Yaml> split(Yaml.Scalar scalar) {
    if (scalar.text().isBlank()) {
      return List.of();
    }
    var parts = new ArrayList<Yaml>();
    for (String part : scalar.text().split(",", -1)) {
      parts.add(new Yaml.Scalar(part.strip(), scalar.origin()));
    }
    return parts;
  }

  /**
   * A list of entries with keys of their own.
   *
   * @param keys all that an entry may have
   * @param secret whether entries hold what must not be shown
   */
  <T> List<T> entries(
      String key,
      String expectation,
      List<String> keys,
      boolean secret,
      Function<EntryReader, Optional<T>> parse) {
    expectations.put(key, expectation);
    Yaml value = settings.value(key);
    boolean none = value instanceof Yaml.Scalar scalar && scalar.text().isBlank();
    if (!(value instanceof Yaml.Sequence sequence)) {
      if (!none) {
        wrong(key, value, expectation, secret);
      }
      return List.of();
    }
    if (sequence.items().size() > MAX_ITEMS) {
      problems.add(
          new Problem(key, "", "expected at most " + MAX_ITEMS + " items", value.origin()));
      return List.of();
    }
    var items = new ArrayList<T>();
    for (int i = 0; i < sequence.items().size(); i++) {
      String path = key + "[" + i + "]";
      if (sequence.items().get(i) instanceof Yaml.Mapping mapping) {
        parse.apply(new EntryReader(path, mapping, keys, secret)).ifPresent(items::add);
      } else {
        wrong(path, sequence.items().get(i), expectation, secret);
      }
    }
    return items;
  }

  /** Reads one entry of a list. */
  final class EntryReader {
    private final String path;
    private final Yaml.Mapping mapping;
    private final boolean secret;

    private EntryReader(String path, Yaml.Mapping mapping, List<String> keys, boolean secret) {
      this.path = path;
      this.mapping = mapping;
      this.secret = secret;
      for (Yaml.Entry entry : mapping.entries()) {
        if (!keys.contains(entry.key())) {
          String nearest = Spelling.nearest(entry.key(), keys);
          problems.add(
              new Problem(
                  path + "." + entry.key(),
                  "",
                  "unknown key"
                      + (nearest.isEmpty() ? "" : ", did you mean " + path + "." + nearest + "?"),
                  entry.origin()));
        }
      }
    }

    /** Whether the entry has the key at all. */
    boolean has(String key) {
      return node(key).filter(node -> !(node instanceof Yaml.Nothing)).isPresent();
    }

    private Optional<Yaml> node(String key) {
      return mapping.entries().stream()
          .filter(entry -> entry.key().equals(key))
          .map(Yaml.Entry::value)
          .findFirst();
    }

    /** The value; empty when it is missing or not as expected, which is said if it is there. */
    <T> Optional<T> read(String key, String expectation, Function<String, Optional<T>> parse) {
      Optional<Yaml> node = node(key).filter(value -> !(value instanceof Yaml.Nothing));
      if (node.isEmpty()) {
        return Optional.empty();
      }
      Optional<T> value =
          node.get() instanceof Yaml.Scalar scalar ? parse.apply(scalar.text()) : Optional.empty();
      if (value.isEmpty()) {
        wrong(path + "." + key, node.get(), expectation, secret);
      }
      return value;
    }

    /** A list of scalars, as {@link Reader#list}; empty when it is missing. */
    <T> List<T> list(String key, String expectation, Function<String, Optional<T>> parse) {
      return node(key)
          .filter(value -> !(value instanceof Yaml.Nothing))
          .map(value -> items(path + "." + key, value, expectation, parse, secret))
          .orElse(List.of());
    }

    /** The value of a key that must be there. */
    <T> Optional<T> need(String key, String expectation, Function<String, Optional<T>> parse) {
      if (!has(key)) {
        refuse("expected " + key + ": " + expectation);
        return Optional.empty();
      }
      return read(key, expectation, parse);
    }

    /** Says that the entry as a whole is wrong. */
    void refuse(String expectation) {
      problems.add(new Problem(path, "", expectation, mapping.origin()));
    }
  }

  static Optional<Long> parseLong(String text) {
    if (text.isEmpty() || text.length() > 18) {
      return Optional.empty();
    }
    int digits = text.startsWith("-") ? 1 : 0;
    for (int i = digits; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return Optional.empty();
      }
    }
    return text.length() == digits ? Optional.empty() : Optional.of(Long.parseLong(text));
  }

  static Optional<HostPort> parseHostPort(String text, int minPort) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      return Optional.empty();
    }
    String host = text.substring(0, colon);
    Optional<Integer> port =
        parseLong(text.substring(colon + 1))
            .filter(p -> p >= minPort && p <= 65_535)
            .map(Long::intValue);
    boolean bracketed = host.startsWith("[");
    Optional<IpAddress> literal = IpAddress.parse(host).filter(ip -> ip.isV6() == bracketed);
    if (port.isEmpty() || literal.isEmpty() && !isHostName(host)) {
      return Optional.empty();
    }
    return Optional.of(new HostPort(literal.map(IpAddress::toString).orElse(host), port.get()));
  }

  /**
   * Whether the text has the form of a host name (RFC 1123 2.1; underscores as seen in practice).
   */
  static boolean isHostName(String text) {
    if (text.isEmpty() || text.length() > 253) {
      return false;
    }
    for (String label : text.split("\\.", -1)) {
      boolean good =
          !label.isEmpty()
              && label.length() <= 63
              && label.charAt(0) != '-'
              && label.charAt(label.length() - 1) != '-'
              && label.chars().allMatch(Reader::isHostCharacter);
      if (!good) {
        return false;
      }
    }
    // What ends in a number is a mistyped address.
    char last = text.charAt(text.lastIndexOf('.') + 1);
    return text.indexOf('.') < 0 || last < '0' || last > '9';
  }

  private static boolean isHostCharacter(int c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '-'
        || c == '_';
  }

  static Optional<Path> parsePath(String text) {
    if (text.isBlank()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(text));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
