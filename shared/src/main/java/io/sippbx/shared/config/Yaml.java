package io.sippbx.shared.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.IntFunction;
import org.yaml.snakeyaml.LoaderOptions;

/**
 * A YAML document as a tree in which each node knows where it stands. Scalars are kept as text:
 * what a value means is said by the key that reads it, not by how it looks.
 */
sealed interface Yaml {

  /** Bytes of the longest document that is taken. */
  int MAX_BYTES = 1 << 20;

  int MAX_DEPTH = 16;

  /** Where it was written. */
  Origin origin();

  /** Text, a number, true or false. */
  record Scalar(String text, Origin origin) implements Yaml {}

  /** {@code null}, or nothing after the colon: as if the key was not there. */
  record Nothing(Origin origin) implements Yaml {}

  /** A list. */
  record Sequence(List<Yaml> items, Origin origin) implements Yaml {
    public Sequence {
      items = List.copyOf(items);
    }
  }

  /** Keys and values in the order of the document; no key twice. */
  record Mapping(List<Entry> entries, Origin origin) implements Yaml {
    public Mapping {
      entries = List.copyOf(entries);
    }
  }

  /** A key with its value. */
  record Entry(String key, Origin origin, Yaml value) {}

  /** A short form of the node for messages. */
  default String shown() {
    return switch (this) {
      case Scalar scalar -> quoteIfNeeded(scalar.text());
      case Nothing _ -> "null";
      case Sequence sequence -> sequence.items().isEmpty() ? "[]" : "a list";
      case Mapping _ -> "a section";
    };
  }

  private static String quoteIfNeeded(String text) {
    String shortened = text.length() > 120 ? text.substring(0, 120) + "..." : text;
    boolean plain = !shortened.isEmpty() && shortened.chars().allMatch(c -> c > ' ' && c < 127);
    if (plain) {
      return shortened;
    }
    var quoted = new StringBuilder("\"");
    shortened
        .chars()
        .forEach(
            c -> {
              if (Character.isISOControl(c)) {
                quoted.append(String.format("\\u%04x", c));
              } else {
                quoted.append((char) c);
              }
            });
    return quoted.append('"').toString();
  }

  /**
   * Reads one document. What is wrong with it goes to {@code problems}, and the part before it is
   * given back; an empty document is an empty mapping.
   *
   * @param at from a line number to an origin
   */
  static Yaml parse(String text, IntFunction<Origin> at, List<Problem> problems) {
    try (YAMLParser parser = factory().createParser(text)) {
      if (parser.nextToken() == null) {
        return new Mapping(List.of(), at.apply(1));
      }
      Yaml root = node(parser, "", at, problems);
      if (parser.nextToken() != null) {
        problems.add(new Problem("", "", "expected one document", at.apply(line(parser))));
      }
      return root;
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 1 : Math.max(1, e.getLocation().getLineNr());
      problems.add(new Problem("", "", "expected YAML, but " + firstLine(e), at.apply(line)));
    } catch (IOException e) {
      throw new IllegalStateException("reading from memory does not fail", e);
    }
    return new Mapping(List.of(), at.apply(1));
  }

  private static YAMLFactory factory() {
    var options = new LoaderOptions();
    options.setCodePointLimit(MAX_BYTES);
    options.setNestingDepthLimit(MAX_DEPTH);
    return YAMLFactory.builder()
        .loaderOptions(options)
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(MAX_DEPTH)
                .maxStringLength(MAX_BYTES)
                .build())
        .build();
  }

  private static String firstLine(JsonProcessingException e) {
    return e.getOriginalMessage().lines().map(String::strip).findFirst().orElse("it is malformed");
  }

  private static int line(YAMLParser parser) {
    return Math.max(1, parser.currentTokenLocation().getLineNr());
  }

  private static Yaml node(
      YAMLParser parser, String path, IntFunction<Origin> at, List<Problem> problems)
      throws IOException {
    Origin origin = at.apply(line(parser));
    if (parser.isCurrentAlias()) {
      problems.add(new Problem(path, "*" + parser.getText(), "expected no aliases", origin));
      return new Nothing(origin);
    }
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      var entries = new ArrayList<Entry>();
      var seen = new TreeMap<String, Origin>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String key = parser.currentName();
        String keyPath = path.isEmpty() ? key : path + "." + key;
        Origin keyOrigin = at.apply(line(parser));
        parser.nextToken();
        Yaml value = node(parser, keyPath, at, problems);
        Origin before = seen.putIfAbsent(key, keyOrigin);
        if (before == null) {
          entries.add(new Entry(key, keyOrigin, value));
        } else {
          problems.add(new Problem(keyPath, "", "stands here again after " + before, keyOrigin));
        }
      }
      return new Mapping(entries, origin);
    }
    if (token == JsonToken.START_ARRAY) {
      var items = new ArrayList<Yaml>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        items.add(node(parser, path + "[" + items.size() + "]", at, problems));
      }
      return new Sequence(items, origin);
    }
    // The parser gives an empty text for nothing at all; only a quoted one takes room in the file.
    boolean nothing =
        parser.currentTokenLocation().getCharOffset() == parser.currentLocation().getCharOffset();
    return token == JsonToken.VALUE_NULL || nothing
        ? new Nothing(origin)
        : new Scalar(parser.getText(), origin);
  }
}
