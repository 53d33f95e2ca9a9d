package io.sippbx.app.chart;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.InstallCommand;
import com.marcnuri.helm.TemplateCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The chart of this tree, rendered by Helm's own code. */
final class Chart {

  static final Path FOLDER = Path.of("..", "charts", "sip-pbx");
  static final String RELEASE = "edge";
  static final String NAMESPACE = "voice";

  // The oldest that Chart.yaml takes.
  private static final String KUBERNETES = "1.26.0";

  private static final ConcurrentHashMap<String, Manifests> RENDERED = new ConcurrentHashMap<>();

  private Chart() {}

  /** Names of the sets of values that lie beside the chart, in their order. */
  static List<String> valueSets() throws java.io.IOException {
    try (Stream<Path> files = Files.list(FOLDER.resolve("ci"))) {
      return files
          .map(file -> file.getFileName().toString().replace("-values.yaml", ""))
          .sorted()
          .toList();
    }
  }

  static List<String> lint() {
    return new Helm(FOLDER).lint().strict().call().getMessages();
  }

  /** What a set of values makes; rendered once. */
  static Manifests render(String valueSet) {
    return RENDERED.computeIfAbsent(valueSet, set -> Manifests.parse(template(set).call()));
  }

  /** The same with one value more, as in {@code --set}. */
  static Manifests render(String valueSet, String key, String value) {
    return Manifests.parse(template(valueSet).set(key, value).call());
  }

  private static TemplateCommand template(String valueSet) {
    return new Helm(FOLDER)
        .template()
        .withName(RELEASE)
        .withNamespace(NAMESPACE)
        .withKubeVersion(KUBERNETES)
        .withValuesFile(file(valueSet));
  }

  /** What somebody reads who has installed it. */
  static String notes(String valueSet) {
    InstallCommand install =
        new Helm(FOLDER)
            .install()
            .clientOnly()
            .dryRun()
            .withName(RELEASE)
            .withNamespace(NAMESPACE)
            .withKubeVersion(KUBERNETES)
            .withValuesFile(file(valueSet));
    return install.call().getOutput();
  }

  private static Path file(String valueSet) {
    return FOLDER.resolve("ci").resolve(valueSet + "-values.yaml");
  }
}
