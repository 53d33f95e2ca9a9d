package io.sippbx.app.chart;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the chart makes, in Kubernetes' model. */
final class Manifests {

  private static final Map<String, Class<? extends HasMetadata>> KINDS =
      new TreeMap<>(
          Map.of(
              "v1/ConfigMap", ConfigMap.class,
              "v1/Secret", Secret.class,
              "v1/Service", Service.class,
              "v1/ServiceAccount", ServiceAccount.class,
              "v1/PersistentVolumeClaim", PersistentVolumeClaim.class,
              "apps/v1/Deployment", Deployment.class,
              "apps/v1/DaemonSet", DaemonSet.class,
              "apps/v1/StatefulSet", StatefulSet.class,
              "policy/v1/PodDisruptionBudget", PodDisruptionBudget.class,
              "monitoring.coreos.com/v1/ServiceMonitor", ServiceMonitor.class));

  private static final ObjectMapper YAML =
      new ObjectMapper(
              YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .setAnnotationIntrospector(new NothingUnknown());

  /** The model keeps fields that it does not know; here they are refused. */
  private static final class NothingUnknown extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1;

    @Override
    public @Nullable Boolean hasAnySetter(Annotated annotated) {
      return Boolean.FALSE;
    }
  }

  private final List<HasMetadata> all;

  private Manifests(List<HasMetadata> all) {
    this.all = List.copyOf(all);
  }

  /**
   * Reads documents of YAML.
   *
   * @throws IllegalArgumentException naming a kind or field that Kubernetes does not have, or a key
   *     that stands twice
   */
  static Manifests parse(String text) {
    var all = new ArrayList<HasMetadata>();
    try (JsonParser parser = YAML.createParser(text)) {
      var documents = YAML.readValues(parser, JsonNode.class);
      while (documents.hasNextValue()) {
        JsonNode document = documents.nextValue();
        if (document != null && !document.isNull()) {
          all.add(read(document));
        }
      }
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalArgumentException(e.getMessage() + "\n" + text, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Manifests(all);
  }

  private static HasMetadata read(JsonNode document) throws IOException {
    String kind = document.path("apiVersion").asText() + "/" + document.path("kind").asText();
    Class<? extends HasMetadata> model = KINDS.get(kind);
    if (model == null) {
      throw new IllegalArgumentException("no model of " + kind + ": " + document);
    }
    return YAML.treeToValue(document, model);
  }

  List<HasMetadata> all() {
    return all;
  }

  <T extends HasMetadata> List<T> all(Class<T> kind) {
    return all.stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  <T extends HasMetadata> Optional<T> find(Class<T> kind, String name) {
    return all(kind).stream().filter(each -> each.getMetadata().getName().equals(name)).findFirst();
  }

  <T extends HasMetadata> T get(Class<T> kind, String name) {
    return find(kind, name)
        .orElseThrow(() -> new AssertionError("no " + kind.getSimpleName() + " " + name));
  }

  Deployment control() {
    return all(Deployment.class).getFirst();
  }

  DaemonSet media() {
    return all(DaemonSet.class).getFirst();
  }

  /** Those of the event plane, where there is one. */
  List<StatefulSet> events() {
    return all(StatefulSet.class);
  }

  /** The pods of all planes. */
  List<PodTemplateSpec> pods() {
    var pods = new ArrayList<PodTemplateSpec>();
    pods.add(control().getSpec().getTemplate());
    pods.add(media().getSpec().getTemplate());
    events().forEach(each -> pods.add(each.getSpec().getTemplate()));
    return pods;
  }
}
