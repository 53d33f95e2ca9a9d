package io.sippbx.app.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Lifecycle;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.ServiceMonitor;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.EventsConfig;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.Role;
import io.sippbx.shared.config.SipConfig;
import io.sippbx.shared.net.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The chart, rendered with every set of values that lies beside it. */
@DisplayName("charts/sip-pbx")
@EnabledOnOs(
    value = OS.LINUX,
    architectures = "amd64",
    disabledReason = "Helm's code is there for Linux on amd64 only: the chart is not rendered here")
class ChartTest {

  private static final String NAME = "[a-z]([-a-z0-9]{0,61}[a-z0-9])?";
  private static final String WRITE = "sippbx.docs.write";
  private static final Path SCHEMA = Chart.FOLDER.resolve("values.schema.json");

  // As ends a node: calls are given four seconds to be told and four to be quiet, servers four.
  private static final int STOPS_WITHIN_S = 15;

  private static final Map<String, Map<String, String>> ELSEWHERE =
      Map.of(
          "sip-pbx-secrets",
          Map.of(
              "cluster", "a secret from elsewhere",
              "accounts", "[{username: \"1004\", password: secret}]"));

  @TempDir Path folder = Path.of("");

  static List<String> valueSets() throws IOException {
    return Chart.valueSets();
  }

  private static Pod control(String values) {
    Manifests made = Chart.render(values);
    return pod(values, made, made.control().getSpec().getTemplate());
  }

  private static Pod media(String values) {
    Manifests made = Chart.render(values);
    return pod(values, made, made.media().getSpec().getTemplate());
  }

  private static Pod pod(String values, Manifests made, PodTemplateSpec template) {
    return new Pod(made, template, hostIp(values), ELSEWHERE);
  }

  private static String hostIp(String values) {
    return values.equals("ipv6") ? "2001:db8::7" : "192.0.2.7";
  }

  @Test
  void hasNothingThatHelmWarnsOf() {
    assertThat(Chart.lint()).noneMatch(line -> line.contains("[ERROR]") || line.contains("[WARN"));
  }

  @Test
  @DisplayName("is the same each time, and asks no cluster: what GitOps renders, and a test")
  void makesNothingUp() throws IOException {
    try (Stream<Path> files = Files.list(Chart.FOLDER.resolve("templates"))) {
      for (Path file : files.toList()) {
        assertThat(Files.readString(file))
            .as(file.toString())
            .doesNotContainPattern("\\b(lookup|rand\\w+|shuffle|uuidv4|now|gen[A-Z]\\w+)\\b");
      }
    }
  }

  @Nested
  class Manifest {

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void hasFieldsThatKubernetesKnowsAndAPlaceAndLabels(String values) {
      List<HasMetadata> all = Chart.render(values).all();
      assertThat(all).hasSizeGreaterThan(5);
      assertThat(all)
          .allSatisfy(
              each -> {
                assertThat(each.getMetadata().getName()).matches(NAME);
                assertThat(each.getMetadata().getNamespace()).isEqualTo(Chart.NAMESPACE);
                assertThat(each.getMetadata().getLabels())
                    .containsEntry("app.kubernetes.io/instance", Chart.RELEASE)
                    .containsEntry("app.kubernetes.io/managed-by", "Helm");
              });
      assertThat(all.stream().map(each -> each.getKind() + " " + each.getMetadata().getName()))
          .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{apiVersion: apps/v1, kind: Deployment, spec: {replica: 1}}",
          "{apiVersion: apps/v1, kind: Deployment, metadata: {labels: {a: b}, label: {a: b}}}",
          "{apiVersion: apps/v1beta1, kind: Deployment}",
          "{apiVersion: v1, kind: Service, kind: Service}",
          "{apiVersion: v1, kind: Service, spec: {ports: [{port: 1, hostPort: 2}]}}"
        })
    void isRefusedWhereKubernetesDoesNotKnowIt(String wrong) {
      assertThatThrownBy(() -> Manifests.parse(wrong)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void drainsItselfBeforeItIsToldToEnd(String values) {
      Pod control = control(values);
      Lifecycle ofControl = control.container().getLifecycle();
      if (values.equals("host-network")) {
        assertThat(ofControl).as("with drainDelaySeconds: 0").isNull();
      } else {
        assertThat(script(ofControl))
            .contains("/api/v1/control-nodes/-:drain\"")
            .containsPattern("; sleep \\d+$")
            .contains(":" + control.port("health") + "/");
      }
      Pod media = media(values);
      assertThat(script(media.container().getLifecycle()))
          .contains("$HOST_IP", "/api/v1/media-nodes/-:drain\"")
          .contains(":" + media.port("health") + "/");
    }

    private static String script(Lifecycle lifecycle) {
      List<String> command = lifecycle.getPreStop().getExec().getCommand();
      assertThat(command).hasSize(3).startsWith("/bin/sh", "-c");
      assertThat(command.getLast()).doesNotContain("\n");
      return command.getLast();
    }

    @Test
    void getsTokenAndPasswordFromTheSecretWhereTheyAreThere() {
      assertThat(control("everything").environment())
          .containsEntry("SIP_PBX_ADMIN_TOKEN", "the-token-of-this-test");
      assertThat(media("everything").environment())
          .containsEntry("SIP_PBX_ADMIN_TOKEN", "the-token-of-this-test");
      assertThat(control("default").environment())
          .doesNotContainKeys("SIP_PBX_ADMIN_TOKEN", "SIP_PBX_REDIS_PASSWORD");
      assertThat(control("everything").environment())
          .containsEntry("SIP_PBX_REDIS_PASSWORD", "the password of Redis");
      assertThat(media("everything").environment()).doesNotContainKey("SIP_PBX_REDIS_PASSWORD");
    }

    @Test
    void getsCertificatesForOtherNodesWhereTheyAreThere() {
      String at = "/etc/sip-pbx-tls";
      for (Pod each : List.of(control("everything"), media("everything"))) {
        assertThat(each.environment())
            .containsEntry("SIP_PBX_CLUSTER_TLS_CA_FILE", at + "/ca.crt")
            .containsEntry("SIP_PBX_CLUSTER_TLS_CERT_FILE", at + "/tls.crt")
            .containsEntry("SIP_PBX_CLUSTER_TLS_KEY_FILE", at + "/tls.key");
      }
      Manifests made = Chart.render("everything");
      for (PodTemplateSpec pod :
          List.of(made.control().getSpec().getTemplate(), made.media().getSpec().getTemplate())) {
        assertThat(pod.getSpec().getVolumes())
            .filteredOn(each -> each.getName().equals("cluster-tls"))
            .singleElement()
            .satisfies(
                each ->
                    assertThat(each.getSecret().getSecretName()).isEqualTo("node-certificates"));
        assertThat(pod.getSpec().getContainers().getFirst().getVolumeMounts())
            .filteredOn(each -> each.getName().equals("cluster-tls"))
            .singleElement()
            .satisfies(each -> assertThat(each.getMountPath()).isEqualTo(at));
      }
      assertThat(control("default").environment()).doesNotContainKey("SIP_PBX_CLUSTER_TLS_CA_FILE");
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void refersToWhatIsThere(String values) {
      Manifests made = Chart.render(values);
      boolean ownAccount = !values.equals("existing-secret");
      for (PodTemplateSpec pod : made.pods()) {
        PodSpec spec = pod.getSpec();
        assertThat(made.find(ServiceAccount.class, spec.getServiceAccountName()).isPresent())
            .isEqualTo(ownAccount);
        Container container = spec.getContainers().getFirst();
        assertThat(container.getVolumeMounts().stream().map(VolumeMount::getName).distinct())
            .containsExactlyInAnyOrderElementsOf(volumes(made, pod));
        for (Volume volume : spec.getVolumes()) {
          if (volume.getConfigMap() != null) {
            assertThat(made.find(ConfigMap.class, volume.getConfigMap().getName())).isPresent();
          }
          if (volume.getPersistentVolumeClaim() != null) {
            String claim = volume.getPersistentVolumeClaim().getClaimName();
            assertThat(made.find(PersistentVolumeClaim.class, claim).isPresent() || ownClaim(claim))
                .as("claim " + claim)
                .isTrue();
          }
        }
      }
      // Pods are built from what the kubelet could find: Pod throws otherwise.
      assertThat(control(values).environment().containsKey("SIP_PBX_CLUSTER_SECRET"))
          .isEqualTo(!values.equals("default"));
      assertThat(media(values).environment()).doesNotContainKey("SIP_PBX_CLUSTER_SECRET");
    }

    private static List<String> volumes(Manifests made, PodTemplateSpec pod) {
      Stream<String> ofThePod = pod.getSpec().getVolumes().stream().map(Volume::getName);
      Stream<String> claims =
          made.events().stream()
              .filter(each -> each.getSpec().getTemplate().equals(pod))
              .flatMap(each -> each.getSpec().getVolumeClaimTemplates().stream())
              .map(each -> each.getMetadata().getName());
      return Stream.concat(ofThePod, claims).toList();
    }

    private static boolean ownClaim(String claim) {
      return claim.equals("records");
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void selectsItsPods(String values) {
      Manifests made = Chart.render(values);
      assertThat(made.control().getSpec().getTemplate().getMetadata().getLabels())
          .containsAllEntriesOf(made.control().getSpec().getSelector().getMatchLabels());
      assertThat(made.media().getSpec().getTemplate().getMetadata().getLabels())
          .containsAllEntriesOf(made.media().getSpec().getSelector().getMatchLabels());
      assertThat(made.control().getSpec().getSelector())
          .isNotEqualTo(made.media().getSpec().getSelector());
      for (StatefulSet events : made.events()) {
        assertThat(
                made.pods().stream()
                    .filter(
                        pod ->
                            pod.getMetadata()
                                .getLabels()
                                .entrySet()
                                .containsAll(
                                    events.getSpec().getSelector().getMatchLabels().entrySet())))
            .containsExactly(events.getSpec().getTemplate());
        assertThat(made.find(Service.class, events.getSpec().getServiceName())).isPresent();
      }
      for (PodDisruptionBudget budget : made.all(PodDisruptionBudget.class)) {
        assertThat(budget.getSpec().getSelector())
            .isEqualTo(made.control().getSpec().getSelector());
      }
      for (Service service : made.all(Service.class)) {
        List<PodTemplateSpec> selected =
            made.pods().stream().filter(pod -> isSelected(service, pod)).toList();
        assertThat(selected.stream().map(PodTemplateSpec::getSpec).map(PodSpec::getContainers))
            .as(service.getMetadata().getName())
            .isNotEmpty()
            .allSatisfy(
                each ->
                    assertThat(each.getFirst().getPorts())
                        .isEqualTo(
                            selected.getFirst().getSpec().getContainers().getFirst().getPorts()));
        List<ContainerPort> open =
            selected.getFirst().getSpec().getContainers().getFirst().getPorts();
        for (ServicePort port : service.getSpec().getPorts()) {
          ContainerPort target =
              open.stream()
                  .filter(each -> each.getName().equals(port.getTargetPort().getStrVal()))
                  .findFirst()
                  .orElseThrow(() -> new AssertionError(port + " leads nowhere"));
          assertThat(target.getProtocol()).isEqualTo(port.getProtocol());
          assertThat(target.getContainerPort()).isEqualTo(port.getPort());
        }
      }
    }

    private static boolean isSelected(Service service, PodTemplateSpec pod) {
      return pod.getMetadata()
          .getLabels()
          .entrySet()
          .containsAll(service.getSpec().getSelector().entrySet());
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void probesPortsThatAreThereAndAPathThatTheProcessAnswers(String values) {
      for (PodTemplateSpec pod : Chart.render(values).pods()) {
        Container container = pod.getSpec().getContainers().getFirst();
        Map<String, Integer> ports =
            container.getPorts().stream()
                .collect(
                    Collectors.toMap(
                        ContainerPort::getName, ContainerPort::getContainerPort, (a, b) -> a));
        for (Probe probe :
            List.of(
                container.getStartupProbe(),
                container.getLivenessProbe(),
                container.getReadinessProbe())) {
          assertThat(ports).containsKey(probe.getHttpGet().getPort().getStrVal());
        }
        assertThat(container.getStartupProbe().getHttpGet().getPath()).isEqualTo("/health");
        assertThat(container.getLivenessProbe().getHttpGet().getPath()).isEqualTo("/health");
        assertThat(container.getReadinessProbe().getHttpGet().getPath()).isEqualTo("/ready");
      }
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void letsTheProcessDoNothingThatItNeedNot(String values) {
      for (PodTemplateSpec pod : Chart.render(values).pods()) {
        PodSpec spec = pod.getSpec();
        assertThat(spec.getAutomountServiceAccountToken()).isFalse();
        assertThat(spec.getEnableServiceLinks()).isFalse();
        assertThat(spec.getSecurityContext().getRunAsUser()).isPositive();
        assertThat(spec.getSecurityContext().getSeccompProfile().getType())
            .isEqualTo("RuntimeDefault");
        SecurityContext security = spec.getContainers().getFirst().getSecurityContext();
        assertThat(security.getRunAsNonRoot()).isTrue();
        assertThat(security.getReadOnlyRootFilesystem()).isTrue();
        assertThat(security.getAllowPrivilegeEscalation()).isFalse();
        assertThat(security.getCapabilities().getDrop()).containsExactly("ALL");
        assertThat(spec.getContainers().getFirst().getResources().getLimits())
            .containsKey("memory");
      }
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void givesANodeTheTimeToEnd(String values) {
      PodSpec spec = Chart.render(values).control().getSpec().getTemplate().getSpec();
      Container container = spec.getContainers().getFirst();
      long hookS =
          container.getLifecycle() == null
              ? 0
              : Long.parseLong(script(container.getLifecycle()).replaceFirst(".* sleep ", ""));
      assertThat(spec.getTerminationGracePeriodSeconds() - hookS)
          .isGreaterThanOrEqualTo(STOPS_WITHIN_S);
    }

    @Test
    void waitsForAPortOfTheHostOrAClaimOfOneHostAndElseForNothing() {
      assertThat(surge("default")).isEqualTo("1/0");
      assertThat(surge("everything")).isEqualTo("1/0");
      assertThat(surge("existing-secret")).isEqualTo("0/1");
      assertThat(surge("host-network")).isEqualTo("0/1");
    }

    private static String surge(String values) {
      var rolling = Chart.render(values).control().getSpec().getStrategy().getRollingUpdate();
      return rolling.getMaxSurge().getIntVal() + "/" + rolling.getMaxUnavailable().getIntVal();
    }

    @Test
    void isFoundByPrometheus() {
      Manifests made = Chart.render("everything");
      ServiceMonitor monitor = made.all(ServiceMonitor.class).getFirst();
      Map<String, String> wanted = monitor.getSpec().getSelector().getMatchLabels();
      List<Service> scraped =
          made.all(Service.class).stream()
              .filter(
                  each -> each.getMetadata().getLabels().entrySet().containsAll(wanted.entrySet()))
              .toList();
      assertThat(scraped).hasSize(2);
      assertThat(scraped)
          .allSatisfy(
              each ->
                  assertThat(each.getSpec().getPorts())
                      .extracting(ServicePort::getName)
                      .containsExactly(monitor.getSpec().getEndpoints().getFirst().getPort()));
      assertThat(Chart.render("default").all(ServiceMonitor.class)).isEmpty();
    }
  }

  @Nested
  class Services {

    @Test
    void takeSipOverUdpAndTcpTogether() {
      Service sip = Chart.render("default").get(Service.class, "edge-sip-pbx-sip");
      assertThat(ports(sip)).containsExactly("UDP 5060", "TCP 5060");
      assertThat(sip.getSpec().getExternalTrafficPolicy()).isEqualTo("Local");
      assertThat(sip.getSpec().getSessionAffinity()).isEqualTo("ClientIP");
    }

    @Test
    void takeThemApartWhereTheLoadBalancerCannotMix() {
      Manifests made = Chart.render("everything");
      assertThat(ports(made.get(Service.class, "edge-sip-udp"))).containsExactly("UDP 5070");
      assertThat(ports(made.get(Service.class, "edge-sip-tcp"))).containsExactly("TCP 5070");
    }

    @Test
    void areNotThereForTheHostNetwork() {
      assertThat(Chart.render("host-network").all(Service.class))
          .noneMatch(service -> service.getMetadata().getName().contains("-sip-udp"))
          .allMatch(service -> "None".equals(service.getSpec().getClusterIP()));
    }

    @Test
    void leadToMediaNodesThatAreNotReadyYet() {
      Service media = Chart.render("default").get(Service.class, "edge-sip-pbx-media");
      assertThat(media.getSpec().getClusterIP()).isEqualTo("None");
      assertThat(media.getSpec().getPublishNotReadyAddresses()).isTrue();
    }

    private static List<String> ports(Service service) {
      return service.getSpec().getPorts().stream()
          .map(port -> port.getProtocol() + " " + port.getPort())
          .toList();
    }
  }

  @Nested
  class Config {

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void ofTheControlPlaneIsTakenByTheProcess(String values) throws IOException {
      Pod pod = control(values);
      Configuration config = pod.configuration(Role.CONTROL_PLANE, folder);
      assertThat(pod.container().getArgs().getFirst()).isEqualTo("control-plane");
      assertThat(config.cluster().nodeId().text()).isEqualTo(Pod.POD_NAME);
      assertThat(config.cluster().secret().isPresent()).isEqualTo(!values.equals("default"));
      assertThat(config.media().nodes())
          .containsExactly(
              new HostPort(mediaService(pod.manifests()), port(media(values), "control")));
      assertThat(config.monitoring().healthCheckPort()).isEqualTo(port(pod, "health"));
      assertThat(config.monitoring().prometheusPort()).isEqualTo(port(pod, "metrics"));
      Set<String> listened = new TreeSet<>();
      for (SipConfig.Listener each : config.sip().listeners()) {
        String name = "sip-" + each.transport().name().toLowerCase(java.util.Locale.ROOT);
        assertThat(each.bind().port()).isEqualTo(port(pod, name));
        listened.add(name);
      }
      assertThat(
              pod.container().getPorts().stream()
                  .map(ContainerPort::getName)
                  .filter(name -> name.startsWith("sip-")))
          .containsExactlyInAnyOrderElementsOf(listened);
      assertThat(mounts(pod))
          .contains(
              config.cdr().outputDir().toString(),
              config.events().records().dir().toString(),
              "/tmp");
    }

    @ParameterizedTest
    @MethodSource("io.sippbx.app.chart.ChartTest#valueSets")
    void ofTheMediaPlaneIsTakenByTheProcess(String values) throws IOException {
      Pod pod = media(values);
      IpAddress host = IpAddress.of(hostIp(values));
      Configuration config = pod.configuration(Role.MEDIA_PLANE, folder);
      assertThat(pod.template().getSpec().getHostNetwork()).isTrue();
      assertThat(pod.container().getArgs().getFirst()).isEqualTo("media-plane");
      assertThat(config.cluster().nodeId().text()).isEqualTo(Pod.HOST_NAME);
      assertThat(config.media().listen())
          .isEqualTo(new HostPort(host.toString(), port(pod, "control")));
      assertThat(config.monitoring().bindIp())
          .as("nothing on other addresses of the host")
          .isEqualTo(host);
      assertThat(config.monitoring().healthCheckPort()).isEqualTo(port(pod, "health"));
      assertThat(config.monitoring().prometheusPort()).isEqualTo(port(pod, "metrics"));
      var addresses = config.media().addresses();
      assertThat(host.isV6() ? addresses.bindV6() : addresses.bind()).contains(host);
      assertThat(addresses.bind().isEmpty()).isEqualTo(values.equals("ipv6"));
      assertThat(host.isV6() ? addresses.advertisedV6() : addresses.advertised())
          .contains(values.equals("everything") ? IpAddress.of("203.0.113.20") : host);
    }

    @Test
    void ofTheEventPlaneIsTakenByTheProcess() throws IOException {
      Manifests made = Chart.render("events");
      assertThat(made.events()).hasSize(2);
      var partitions = new ArrayList<Integer>();
      for (StatefulSet each : made.events()) {
        Pod pod = pod("events", made, each.getSpec().getTemplate());
        Configuration config = pod.configuration(Role.EVENT_PLANE, folder);
        assertThat(each.getSpec().getReplicas()).isEqualTo(1);
        assertThat(pod.container().getArgs()).startsWith("event-plane", "--cdr");
        assertThat(config.monitoring().healthCheckPort()).isEqualTo(port(pod, "health"));
        assertThat(config.monitoring().prometheusPort()).isEqualTo(port(pod, "metrics"));
        assertThat(pod.environment())
            .containsEntry("SIP_PBX_KAFKA_PASSWORD", "the password of Kafka")
            .containsEntry("SIP_PBX_CDR_POSTGRES_PASSWORD", "the password of PostgreSQL");
        assertThat(mounts(pod)).contains(config.cdr().outputDir().toString(), "/tmp");
        partitions.addAll(config.cdr().kafkaPartitions());
      }
      assertThat(partitions).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
      assertThat(Chart.render("default").events()).isEmpty();
    }

    @Test
    void ofTheEventPlaneNamesReceiversOfWebhooksWithSecretsOfTheirOwn() throws IOException {
      Manifests made = Chart.render("events");
      Pod pod = pod("events", made, made.events().getFirst().getSpec().getTemplate());
      EventsConfig events = pod.configuration(Role.EVENT_PLANE, folder).events();
      assertThat(events.receivers()).hasSize(2);
      EventsConfig.Receiver billing = events.receivers().getFirst();
      assertThat(billing.name()).isEqualTo("billing");
      assertThat(billing.url()).hasToString("https://billing.example.com/pbx?from=a,b");
      assertThat(billing.types()).containsExactly(EventsConfig.WebhookType.CALL_ENDED);
      assertThat(secrets(billing)).containsExactly("whsec_UPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwj");
      assertThat(secrets(events.receivers().getLast()))
          .containsExactly(
              "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_LaLaSwMfKQ9r8GKYqrTwjUPD8ILPZIo2");
      assertThat(mounts(pod)).contains(events.records().dir().toString());
      assertThat(made.all(ConfigMap.class))
          .allSatisfy(
              map -> assertThat(map.getData().values()).noneMatch(text -> text.contains("whsec_")));
    }

    private static List<String> secrets(EventsConfig.Receiver receiver) {
      return receiver.secrets().stream().map(io.sippbx.shared.config.Secret::value).toList();
    }

    @Test
    void carriesSecretsAsTheyWereWritten() throws IOException {
      Configuration config = control("everything").configuration(Role.CONTROL_PLANE, folder);
      assertThat(config.cluster().secret().orElseThrow().value())
          .isEqualTo("a secret: of \"more\" than 16 characters");
      SipConfig.User first = config.sip().authentication().users().getFirst();
      assertThat(first.username()).isEqualTo("1004");
      assertThat(((SipConfig.Credential.Password) first.credential()).value().value())
          .isEqualTo("correct $(HOST_IP) 'horse' \"battery\"");
      assertThat(Chart.render("everything").all(ConfigMap.class))
          .allSatisfy(
              map ->
                  assertThat(map.getData().values())
                      .noneMatch(text -> text.contains("horse") || text.contains("a secret")));
    }

    @Test
    void takesSecretsFromElsewhereAndMakesNone() throws IOException {
      Pod pod = control("existing-secret");
      Configuration config = pod.configuration(Role.CONTROL_PLANE, folder);
      assertThat(pod.manifests().all(Secret.class)).isEmpty();
      assertThat(config.cluster().secret().orElseThrow().value())
          .isEqualTo("a secret from elsewhere");
      assertThat(config.sip().authentication().users()).hasSize(1);
    }

    @Test
    void laysThePlanesValuesOverTheCommonOnesAndTheEnvironmentOverAll() throws IOException {
      Configuration control = control("everything").configuration(Role.CONTROL_PLANE, folder);
      Configuration media = media("everything").configuration(Role.MEDIA_PLANE, folder);
      assertThat(control.logging().level().toString()).isEqualToIgnoringCase("debug");
      assertThat(media.media().portPool().start()).isEqualTo(12_000);
      assertThat(media.media().threads()).isEqualTo(2);
      assertThat(control.sip().wire().udpReceiveBufferBytes()).isEqualTo(16_777_216);
      assertThat(control.sip().calls().retryAfter()).hasSeconds(20);
      assertThat(media.media().portPool().rest()).hasSeconds(10);
    }

    @Test
    void advertisesTheHostOnTheHostNetworkAndTheServiceElsewhere() throws IOException {
      assertThat(advertised("host-network")).containsOnly("192.0.2.7:5060");
      assertThat(advertised("ipv6")).containsOnly("[2001:db8::7]:5060");
      assertThat(advertised("everything")).containsOnly("203.0.113.10:5070", "[2001:db8::10]:5070");
      assertThat(advertised("default")).isEmpty();
    }

    private Set<String> advertised(String values) throws IOException {
      return control(values).configuration(Role.CONTROL_PLANE, folder).sip().listeners().stream()
          .flatMap(listener -> listener.advertised().stream())
          .map(Object::toString)
          .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String mediaService(Manifests made) {
      return made.all(Service.class).stream()
          .filter(each -> each.getSpec().getPorts().getFirst().getName().equals("control"))
          .findFirst()
          .orElseThrow()
          .getMetadata()
          .getName();
    }

    private static int port(Pod pod, String name) {
      return pod.container().getPorts().stream()
          .filter(port -> port.getName().equals(name))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no port " + name))
          .getContainerPort();
    }

    private static List<String> mounts(Pod pod) {
      return pod.container().getVolumeMounts().stream().map(VolumeMount::getMountPath).toList();
    }
  }

  @Nested
  class Values {

    @ParameterizedTest
    @CsvSource({
      "controlPlane.replicas, -1, /controlPlane/replicas",
      "controlPlane.replica, 1, replica",
      "controlPlane.service.type, ExternalName, /controlPlane/service/type",
      "controlPlane.config.sip.listen_port, 70000, /controlPlane/config/sip/listen_port",
      "controlPlane.config.sip.lissen_port, 5060, lissen_port",
      "config.media.rtp_timeout, soon, /config/media/rtp_timeout",
      "config.logging.level, loud, /config/logging/level",
      "config.cluster.secret, 0123456789abcdef0123, cluster",
      "config.sip.users[0].username, 1004, users",
      "secrets.clusterSecret, short, /secrets/clusterSecret",
      "secrets.adminToken, short, /secrets/adminToken",
      "secrets.webhookSecrets[0], horse, /secrets/webhookSecrets/0",
      "secrets.webhooks[0].url, ftp://a, /secrets/webhooks/0/url",
      "config.admin.token, 0123456789abcdef0123, token",
      "mediaPlane.drainSeconds, soon, /mediaPlane/drainSeconds",
      "secrets.users[0].username, 1004, /secrets/users/0",
      "image.digest, sha256:short, /image/digest",
      "image.pullPolicy, Sometimes, /image/pullPolicy",
      "ipFamily, IPv5, /ipFamily",
      "mediaPlane.controlPort, 0, /mediaPlane/controlPort",
      "mediaPlane.updateStrategy, Recreate, /mediaPlane/updateStrategy",
      "controlPlane.podDisruptionBudget.maxUnavailable, 0, maxUnavailable",
      "controlPlane.resources.limits.memory, lots, /controlPlane/resources/limits/memory",
      "serviceMonitor.interval, often, /serviceMonitor/interval",
    })
    void areRefusedByTheSchema(String key, String value, String named) {
      assertThatThrownBy(() -> Chart.render("default", key, value))
          .hasMessageContaining("schema")
          .hasMessageContaining(named);
    }

    @ParameterizedTest
    @CsvSource({
      "default, controlPlane.replicas, 2, secrets.clusterSecret or secrets.existingSecret",
      "default, controlPlane.config.redis.uri, redis://redis:6379, expected one of them with redis.uri",
      "existing-secret, controlPlane.replicas, 2, expected ReadWriteMany for 2 replicas",
      "default, controlPlane.drainDelaySeconds, 20, expected at least drainDelaySeconds and 15",
      "default, mediaPlane.drainSeconds, 25, expected at least drainSeconds and 10",
      "default, controlPlane.config.sip.listen_port, 0, sip.listen_port: expected a port",
      "default, mediaPlane.config.monitoring.prometheus_port, 0, expected a port",
      "default, eventPlane.enabled, true, config.kafka.bootstrap_servers",
      "events, eventPlane.partitions[1][0], 5, expected each partition once",
      "events, eventPlane.config.monitoring.health_check_port, 0, expected a port",
    })
    void areRefusedWhereTheyDoNotGoTogether(
        String values, String key, String value, String message) {
      assertThatThrownBy(() -> Chart.render(values, key, value)).hasMessageContaining(message);
    }

    @Test
    void haveAConfigWithTheKeysOfTheReferenceFile() throws IOException {
      var json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
      var schema = (ObjectNode) json.readTree(SCHEMA.toFile());
      ObjectNode expected = ConfigSchema.of(ConfigLoader.referenceText());
      if (Boolean.getBoolean(WRITE)) {
        ((ObjectNode) schema.get("definitions")).set("config", expected);
        Files.writeString(SCHEMA, json.writeValueAsString(schema) + "\n");
        schema = (ObjectNode) json.readTree(SCHEMA.toFile());
      }
      assertThat(schema.at("/definitions/config"))
          .as(
              "%s is not of this reference file: mvn -pl app -am test -Dtest=ChartTest -D%s=true"
                  + " -Dsurefire.failIfNoSpecifiedTests=false",
              SCHEMA, WRITE)
          .isEqualTo(json.readTree(json.writeValueAsString(expected)));
    }

    @Test
    void leaveOutKeysThatTheReferenceFileHas() {
      JsonNode taken = ConfigSchema.of(ConfigLoader.referenceText()).get("properties");
      assertThat(taken.at("/sip/properties").has("listen_port")).isTrue();
      assertThat(taken.at("/media/properties/port_pool/properties").has("start")).isTrue();
      assertThat(taken.at("/cluster/properties").has("secret")).isFalse();
      String reference = ConfigLoader.referenceText();
      assertThat(ConfigSchema.NOT_TAKEN)
          .allSatisfy(
              key ->
                  assertThat(reference)
                      .contains("  " + key.substring(key.indexOf('.') + 1) + ": "));
    }

    @Test
    void areAllInTheSchemaWhichLetsNothingElseBe() throws IOException {
      JsonNode schema = new ObjectMapper().readTree(SCHEMA.toFile());
      JsonNode values = new YAMLMapper().readTree(Chart.FOLDER.resolve("values.yaml").toFile());
      var differences = new ArrayList<String>();
      compare("", schema, values, differences);
      assertThat(differences).isEmpty();
    }

    /** Every object with keys of its own is closed and has exactly the keys of values.yaml. */
    private static void compare(
        String path, JsonNode schema, JsonNode values, List<String> differences) {
      if (!schema.has("properties")) {
        return;
      }
      if (!schema.path("additionalProperties").isBoolean()
          || schema.path("additionalProperties").asBoolean()) {
        differences.add(path + " is open");
      }
      var described = names(schema.get("properties"));
      described.remove("global");
      if (!described.equals(names(values))) {
        differences.add(path + ": schema " + described + ", values.yaml " + names(values));
      }
      for (String name : described) {
        compare(
            path + "/" + name, schema.get("properties").get(name), values.path(name), differences);
      }
    }

    private static Set<String> names(JsonNode object) {
      var names = new TreeSet<String>();
      object.fieldNames().forEachRemaining(names::add);
      return names;
    }
  }

  @Nested
  class Notes {

    @Test
    void sayWhatIsMissing() {
      assertThat(Chart.notes("default"))
          .contains("controlPlane.config.sip.advertised_ip", "secrets.users", "gone with their pod")
          .contains("UDP ports 10000 to 20000", "deployment/edge-sip-pbx-control")
          .contains("Without controlPlane.config.redis.uri");
    }

    @Test
    void areSilentAboutWhatIsThere() {
      assertThat(Chart.notes("everything"))
          .doesNotContain("Peers are told", "secrets.users", "gone with their pod", "redis.uri")
          .contains("UDP ports 12000 to 16001", "SIP (udp tcp)");
      assertThat(Chart.notes("events"))
          .doesNotContain("gone with their pod", "to Kafka and write no");
    }
  }

  @Test
  void isOfTheVersionOfTheProduct() throws IOException {
    JsonNode chart = new YAMLMapper().readTree(Chart.FOLDER.resolve("Chart.yaml").toFile());
    String pom = Files.readString(Path.of("..", "pom.xml"));
    String version =
        Stream.of(pom.split("\n"))
            .filter(line -> line.contains("<version>"))
            .findFirst()
            .orElseThrow()
            .replaceAll("</?version>|-SNAPSHOT", "")
            .strip();
    assertThat(chart.path("appVersion").asText()).isEqualTo(version);
    assertThat(chart.path("version").asText()).isEqualTo(version);
  }
}
