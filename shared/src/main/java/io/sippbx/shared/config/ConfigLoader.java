package io.sippbx.shared.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Builds the configuration from its four layers: the reference file, the user's YAML file, the
 * environment, the command line, each over the one before.
 */
public final class ConfigLoader {

  private static final String REFERENCE = "reference.yaml";

  private ConfigLoader() {}

  /**
   * The configuration, or all that is wrong with it.
   *
   * @param role what the process is to be; decides which keys must be set
   * @param file the user's file, if there is one
   * @param environment all variables; those that begin with {@code SIP_PBX_} are read
   * @param assignments from the command line
   */
  public static ConfigResult load(
      Role role,
      Optional<Path> file,
      Map<String, String> environment,
      List<Assignment> assignments) {
    var problems = new ArrayList<Problem>();
    var notices = new ArrayList<Problem>();
    var settings = new Settings(reference(), problems, notices);
    file.ifPresent(path -> readFile(path, problems).ifPresent(settings::layFile));
    settings.layEnvironment(environment);
    settings.layAssignments(assignments);
    var mapping = new Mapping(new Reader(settings, problems), environment, notices);
    Configuration configuration = mapping.read(role);
    return problems.isEmpty()
        ? new ConfigResult.Loaded(configuration, notices)
        : new ConfigResult.Refused(problems);
  }

  /** The defaults, as a process of this role has them without file, environment and options. */
  public static Configuration defaults() {
    return switch (load(Role.TOOL, Optional.empty(), Map.of(), List.of())) {
      case ConfigResult.Loaded loaded -> loaded.configuration();
      case ConfigResult.Refused refused -> throw new IllegalStateException(refused.report());
    };
  }

  /** The text of the reference file: every key with its default and its reason. */
  public static String referenceText() {
    try (InputStream in = ConfigLoader.class.getResourceAsStream(REFERENCE)) {
      if (in == null) {
        throw new IllegalStateException(REFERENCE + " is missing beside " + ConfigLoader.class);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is expected of each key, in the order in which the records read them. */
  static Map<String, String> expectations() {
    var problems = new ArrayList<Problem>();
    var reader = new Reader(new Settings(reference(), problems, problems), problems);
    new Mapping(reader, Map.of(), problems).read(Role.TOOL);
    return new LinkedHashMap<>(reader.expectations());
  }

  private static Yaml reference() {
    var problems = new ArrayList<Problem>();
    Yaml root = Yaml.parse(referenceText(), _ -> new Origin.Reference(), problems);
    if (!problems.isEmpty()) {
      throw new IllegalStateException(REFERENCE + ": " + problems);
    }
    return root;
  }

  private static Optional<Yaml> readFile(Path path, List<Problem> problems) {
    String name = path.toString();
    try {
      byte[] bytes;
      try (InputStream in = Files.newInputStream(path)) {
        bytes = in.readNBytes(Yaml.MAX_BYTES + 1);
      }
      if (bytes.length > Yaml.MAX_BYTES) {
        problems.add(fileProblem(name, "expected a configuration file of at most 1 MiB"));
        return Optional.empty();
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return Optional.of(Yaml.parse(text, line -> new Origin.File(name, line), problems));
    } catch (CharacterCodingException e) {
      problems.add(fileProblem(name, "expected a configuration file in UTF-8"));
    } catch (NoSuchFileException e) {
      problems.add(fileProblem(name, "expected a configuration file, but there is none"));
    } catch (IOException e) {
      problems.add(fileProblem(name, "expected a configuration file that can be read, but " + e));
    }
    return Optional.empty();
  }

  private static Problem fileProblem(String name, String expectation) {
    return new Problem("--config", name, expectation, new Origin.CommandLine("--config"));
  }
}
