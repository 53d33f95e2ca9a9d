package io.sippbx.app.chart;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Role;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A pod as a kubelet would start it: its environment with what is referred to, and its
 * configuration as the process would read it.
 *
 * @param hostIp the address of the host that it runs on
 * @param elsewhere what Secrets hold that the chart does not make
 */
record Pod(
    Manifests manifests,
    PodTemplateSpec template,
    String hostIp,
    Map<String, Map<String, String>> elsewhere) {

  static final String POD_NAME = "edge-sip-pbx-control-7d9c5b7f4-x2x4q";
  static final String HOST_NAME = "host-1.example.org";

  private static final Pattern REFERENCE = Pattern.compile("\\$\\(([A-Za-z_][A-Za-z0-9_]*)\\)");

  Container container() {
    return template.getSpec().getContainers().getFirst();
  }

  /** The number of a port by its name. */
  int port(String name) {
    return container().getPorts().stream()
        .filter(each -> each.getName().equals(name))
        .findFirst()
        .orElseThrow()
        .getContainerPort();
  }

  /** Its variables; later ones win, and see those before them. */
  Map<String, String> environment() {
    var environment = new LinkedHashMap<String, String>();
    for (EnvVar each : container().getEnv()) {
      if (each.getValueFrom() == null) {
        String text = each.getValue() == null ? "" : each.getValue();
        environment.put(
            each.getName(),
            REFERENCE
                .matcher(text)
                .replaceAll(
                    found -> java.util.regex.Matcher.quoteReplacement(value(environment, found))));
      } else {
        referredTo(each.getValueFrom()).ifPresent(value -> environment.put(each.getName(), value));
      }
    }
    return environment;
  }

  private static String value(Map<String, String> environment, MatchResult found) {
    return environment.getOrDefault(found.group(1), found.group());
  }

  private Optional<String> referredTo(EnvVarSource source) {
    if (source.getFieldRef() != null) {
      String path = source.getFieldRef().getFieldPath();
      return Optional.of(
          switch (path) {
            case "metadata.name" -> POD_NAME;
            case "spec.nodeName" -> HOST_NAME;
            case "status.hostIP" -> hostIp;
            default -> throw new AssertionError("not a field of a pod that is known here: " + path);
          });
    }
    SecretKeySelector selector = source.getSecretKeyRef();
    Optional<String> value = secret(selector.getName(), selector.getKey());
    if (value.isEmpty() && !Boolean.TRUE.equals(selector.getOptional())) {
      throw new AssertionError("no key " + selector.getKey() + " in Secret " + selector.getName());
    }
    return value;
  }

  private Optional<String> secret(String name, String key) {
    Optional<Secret> made = manifests.find(Secret.class, name);
    if (made.isPresent()) {
      return Optional.ofNullable(made.get().getData().get(key))
          .map(text -> new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8));
    }
    return Optional.ofNullable(elsewhere.getOrDefault(name, Map.of()).get(key));
  }

  /** The text of the file that its container is told to read. */
  String configFile() {
    List<String> args = container().getArgs();
    Path path = Path.of(args.get(args.indexOf("--config") + 1));
    String volume =
        container().getVolumeMounts().stream()
            .filter(mount -> Path.of(mount.getMountPath()).equals(path.getParent()))
            .findFirst()
            .orElseThrow(() -> new AssertionError("nothing is mounted at " + path.getParent()))
            .getName();
    String map =
        template.getSpec().getVolumes().stream()
            .filter(each -> each.getName().equals(volume))
            .findFirst()
            .orElseThrow()
            .getConfigMap()
            .getName();
    String text = manifests.get(ConfigMap.class, map).getData().get(path.getFileName().toString());
    if (text == null) {
      throw new AssertionError("ConfigMap " + map + " has no " + path.getFileName());
    }
    return text;
  }

  /** The configuration, with nothing wrong in it and nothing to be said about it. */
  Configuration configuration(Role role, Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve(role + ".yaml"), configFile());
    return switch (ConfigLoader.load(role, Optional.of(file), environment(), List.of())) {
      case ConfigResult.Refused refused -> throw new AssertionError(refused.report());
      case ConfigResult.Loaded loaded -> {
        if (!loaded.notices().isEmpty()) {
          throw new AssertionError(loaded.notices());
        }
        yield loaded.configuration();
      }
    };
  }
}
