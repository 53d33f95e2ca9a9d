package io.sippbx.app;

import io.sippbx.shared.config.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The command line of a node in its plain form: a role, and options that each have a value. It is
 * read without picocli, whose classes are a good part of what a node does until it listens.
 * Whatever is not plain, as a question for help or a mistake, is left to picocli: there is one who
 * explains.
 */
final class PlainCommandLine {

  private PlainCommandLine() {}

  /** The node that is asked for; empty: picocli is to look at it. */
  static Optional<NodeStart> read(String... args) {
    return switch (args.length == 0 ? "" : args[0]) {
      case "standalone" -> read(Role.STANDALONE, Node.Planes.ALL, args);
      case "control-plane" -> read(Role.CONTROL_PLANE, Node.Planes.CONTROL, args);
      case "media-plane" -> read(Role.MEDIA_PLANE, Node.Planes.MEDIA, args);
      default -> Optional.empty();
    };
  }

  private static Optional<NodeStart> read(Role role, Node.Planes planes, String... args) {
    Map<String, String> once = new TreeMap<>();
    List<String> set = new ArrayList<>();
    int next = 1;
    while (next < args.length) {
      String word = args[next++];
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals);
      if (equals < 0 && next == args.length) {
        return Optional.empty();
      }
      String value = equals < 0 ? args[next++] : word.substring(equals + 1);
      if (!isPlain(value)) {
        return Optional.empty();
      }
      boolean isKnown =
          switch (name) {
            case "--set" -> set.add(value);
            case "--config", "--log-level", "--port" -> once.putIfAbsent(name, value) == null;
            case "--media" -> role == Role.CONTROL_PLANE && once.putIfAbsent(name, value) == null;
            default -> false;
          };
      if (!isKnown) {
        return Optional.empty();
      }
    }
    return Optional.of(
        new NodeStart(
            role,
            planes,
            Optional.ofNullable(once.get("--config")).map(Path::of),
            ConfigOptions.assignments(
                once.get("--media"), once.get("--log-level"), once.get("--port"), set)));
  }

  /** Not one that picocli may take for something else than a value. */
  private static boolean isPlain(String value) {
    return !value.isEmpty() && "-@\"'".indexOf(value.charAt(0)) < 0;
  }
}
