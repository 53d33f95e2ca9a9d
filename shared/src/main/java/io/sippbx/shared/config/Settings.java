package io.sippbx.shared.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The layers of the configuration laid over each other: for each key of the reference file one
 * value, from the highest layer that has one.
 */
final class Settings {

  private static final String PREFIX = "SIP_PBX_";

  /**
   * What Kubernetes and Docker put into the environment of every container for a service whose name
   * begins with "sip-pbx": nothing that a user has set.
   */
  private static final Pattern SERVICE_LINK =
      Pattern.compile(".*_SERVICE_HOST|.*_SERVICE_PORT(_.*)?|.*_PORT(_\\d+_(TCP|UDP|SCTP)(_.*)?)?");

  private final Map<String, Yaml> reference = new LinkedHashMap<>();
  private final Set<String> sections = new LinkedHashSet<>();
  private final Map<String, Yaml> values = new LinkedHashMap<>();
  private final List<Problem> problems;
  private final List<Problem> notices;

  /**
   * Starts with the reference file alone.
   *
   * @param problems where everything that is wrong goes
   * @param notices where goes what is worth a warning
   */
  Settings(Yaml reference, List<Problem> problems, List<Problem> notices) {
    this.problems = problems;
    this.notices = notices;
    collectReference("", reference);
    values.putAll(this.reference);
  }

  private void collectReference(String path, Yaml node) {
    if (node instanceof Yaml.Mapping mapping) {
      sections.add(path);
      for (Yaml.Entry entry : mapping.entries()) {
        collectReference(child(path, entry.key()), entry.value());
      }
    } else {
      reference.put(path, node);
    }
  }

  /** The keys of the reference file, in its order. */
  Set<String> keys() {
    return reference.keySet();
  }

  /** The value of a key of the reference file. */
  Yaml value(String key) {
    return known(values, key);
  }

  /** The default of a key of the reference file. */
  Yaml byDefault(String key) {
    return known(reference, key);
  }

  /** Whether anybody but the reference file has set the key. */
  boolean isSet(String key) {
    return !(value(key).origin() instanceof Origin.Reference);
  }

  private static Yaml known(Map<String, Yaml> leaves, String key) {
    Yaml value = leaves.get(key);
    if (value == null) {
      throw new IllegalStateException("Expected a key of the reference file, but got " + key);
    }
    return value;
  }

  /** The environment variable of a key. */
  static String variable(String key) {
    return PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_');
  }

  /** Lays a user's file over what is there. */
  void layFile(Yaml root) {
    if (root instanceof Yaml.Mapping mapping) {
      laySection("", mapping);
    } else if (!(root instanceof Yaml.Nothing)) {
      problems.add(
          new Problem("", root.shown(), "expected sections, as in \"sip:\"", root.origin()));
    }
  }

  private void laySection(String path, Yaml.Mapping mapping) {
    for (Yaml.Entry entry : mapping.entries()) {
      String key = child(path, entry.key());
      switch (entry.value()) {
        case Yaml.Nothing nothing -> {
          if (!reference.containsKey(key) && !sections.contains(key)) {
            unknown(key, nothing, entry.origin());
          }
        }
        case Yaml.Mapping section when sections.contains(key) -> laySection(key, section);
        case Yaml value when reference.containsKey(key) -> values.put(key, value);
        case Yaml value when sections.contains(key) ->
            problems.add(
                new Problem(
                    key, value.shown(), "expected a section with keys of its own", value.origin()));
        case Yaml value -> unknown(key, value, entry.origin());
      }
    }
  }

  private void unknown(String key, Yaml value, Origin origin) {
    String shown = value instanceof Yaml.Scalar || value instanceof Yaml.Nothing ? "" : "a section";
    String candidate = nearestKey(key);
    problems.add(
        new Problem(
            key,
            value instanceof Yaml.Scalar ? "" : shown,
            "unknown key" + (candidate.isEmpty() ? "" : ", did you mean " + candidate + "?"),
            origin));
  }

  private String nearestKey(String key) {
    var candidates = new ArrayList<String>(sections);
    candidates.addAll(reference.keySet());
    String whole = Spelling.nearest(key, candidates);
    if (!whole.isEmpty()) {
      return whole;
    }
    // In the wrong section: the same last word elsewhere.
    String last = key.substring(key.lastIndexOf('.') + 1);
    for (String candidate : reference.keySet()) {
      if (candidate.endsWith("." + last)) {
        return candidate;
      }
    }
    return "";
  }

  /** Lays the environment over what is there. */
  void layEnvironment(Map<String, String> environment) {
    var byVariable = new TreeMap<String, String>();
    for (String key : reference.keySet()) {
      byVariable.put(variable(key), key);
    }
    for (var entry : new TreeMap<>(environment).entrySet()) {
      String name = entry.getKey();
      String key = byVariable.get(name);
      if (key != null) {
        values.put(key, scalarOrFlow(entry.getValue(), new Origin.Environment(name), key));
      } else if (name.startsWith(PREFIX) && !SERVICE_LINK.matcher(name).matches()) {
        unknownVariable(name, List.copyOf(byVariable.keySet()));
      }
    }
  }

  private void unknownVariable(String name, List<String> variables) {
    String nearest = Spelling.nearest(name, variables);
    String hint = nearest.isEmpty() ? "" : ", did you mean " + nearest + "?";
    boolean inSection =
        sections.stream().anyMatch(s -> !s.isEmpty() && name.startsWith(variable(s) + "_"));
    // Others may use our prefix for something else (a launcher, a service's link); a section's
    // name in it or a near miss says that one of our keys was meant.
    if (inSection || !nearest.isEmpty()) {
      problems.add(new Problem(name, "", "unknown key" + hint, new Origin.Environment(name)));
    } else {
      notices.add(
          new Problem(name, "", "is no key of ours and is ignored", new Origin.Environment(name)));
    }
  }

  /** Lays options of the command line over what is there. */
  void layAssignments(List<Assignment> assignments) {
    for (Assignment assignment : assignments) {
      var origin = new Origin.CommandLine(assignment.option());
      String key = assignment.key();
      Yaml value = scalarOrFlow(assignment.value(), origin, key);
      if (reference.containsKey(key)) {
        values.put(key, value);
      } else {
        unknown(key, value, origin);
      }
    }
  }

  /** Text, or, for a key that holds entries, YAML in brackets. */
  private Yaml scalarOrFlow(String text, Origin origin, String key) {
    boolean flow = text.startsWith("[") && known(reference, key) instanceof Yaml.Sequence;
    if (!flow) {
      return new Yaml.Scalar(text, origin);
    }
    var wrong = new ArrayList<Problem>();
    Yaml value = Yaml.parse(text, _ -> origin, wrong);
    if (wrong.isEmpty()) {
      return value;
    }
    // Not what stands there: it may hold passwords.
    problems.add(new Problem(key, "", "expected YAML in brackets", origin));
    return known(reference, key);
  }

  private static String child(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
