package io.sippbx.app.arch;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("app -> {control, media, event}-plane -> shared -> proto")
class PlanesArchTest {

  static Stream<String> planes() {
    return Arrays.stream(Product.PLANES);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "io.sippbx.control",
        "io.sippbx.media",
        "io.sippbx.event",
        "io.sippbx.shared",
        "io.sippbx.proto",
        "io.sippbx.app"
      })
  void areAllLookedAt(String module) {
    assertThat(Product.CLASSES.stream().map(JavaClass::getPackageName))
        .anyMatch(name -> (name + ".").startsWith(module + "."));
  }

  @ParameterizedTest
  @MethodSource("planes")
  void doNotImportEachOther(String plane) {
    String[] others =
        Stream.concat(planes().filter(each -> !each.equals(plane)), Stream.of("io.sippbx.app"))
            .map(each -> each + "..")
            .toArray(String[]::new);
    noClasses()
        .that()
        .resideInAPackage(plane + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(others)
        .because(
            "planes are processes of their own (docs/ARCHITECTURE.md, The picture): talk by the"
                + " contracts of proto, put what both need into shared, and wire in app")
        .check(Product.CLASSES);
  }

  @Test
  void sharedImportsNoPlane() {
    noClasses()
        .that()
        .resideInAPackage("io.sippbx.shared..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.sippbx.control..", "io.sippbx.media..", "io.sippbx.event..", "io.sippbx.app..")
        .because(
            "dependencies run one way (docs/ARCHITECTURE.md, The picture): let the plane implement"
                + " an interface of shared, or move its class here")
        .check(Product.CLASSES);
  }

  @Test
  void protoImportsNothingOfOurs() {
    noClasses()
        .that()
        .resideInAPackage("io.sippbx.proto..")
        .should()
        .dependOnClassesThat(Product.in("io.sippbx..").and(notProto()))
        .because(
            "contracts are generated and nothing else (docs/ARCHITECTURE.md, The picture): put"
                + " conversions into the plane that needs them")
        .check(Product.CLASSES);
  }

  private static DescribedPredicate<JavaClass> notProto() {
    return not(Product.in("io.sippbx.proto.."));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"io.sippbx.control", "io.sippbx.media", "io.sippbx.event", "io.sippbx.shared"})
  void haveNoCyclesOfPackages(String module) {
    slices()
        .matching(module + ".(**)")
        .should()
        .beFreeOfCycles()
        .because(
            "rings depend one way (docs/ARCHITECTURE.md, Rings): let the inner package own an"
                + " interface that the outer one implements")
        .check(Product.CLASSES);
  }

  @Test
  void onlyAdaptersSeeNettyAndGrpc() {
    classes()
        .that(
            Product.in("io.sippbx..")
                .and(
                    not(
                        Product.in(
                            // generated
                            "io.sippbx.proto..",
                            // wiring
                            "io.sippbx.app..",
                            // the gRPC services of the admin API
                            "io.sippbx.control.admin",
                            "io.sippbx.control.mesh.grpc",
                            "io.sippbx.control.sip.transport",
                            "io.sippbx.control.store.redis",
                            "io.sippbx.event.webhook.http",
                            "io.sippbx.media.control",
                            "io.sippbx.media.relay.netty",
                            "io.sippbx.shared.operations",
                            "io.sippbx.shared.tls")))
                .and(
                    not(
                        Product.named(
                            "io.sippbx.control.sip.locate.NettyDns",
                            "io.sippbx.control.media.GrpcMediaPlane",
                            // the parts of that adapter which hold a channel or a stream
                            "io.sippbx.control.media.Listed",
                            "io.sippbx.control.media.MediaAdministration",
                            "io.sippbx.control.media.MediaLink",
                            "io.sippbx.control.media.MediaLevels",
                            "io.sippbx.control.media.MediaWays",
                            "io.sippbx.control.media.MediaChannels",
                            "io.sippbx.control.media.NettyMediaChannels",
                            // starts the node's gRPC server
                            "io.sippbx.media.MediaNode",
                            // the loop that it runs on
                            "io.sippbx.media.ThreadLoop"))))
        .should()
        .onlyDependOnClassesThat(not(Product.in("io.netty..", "io.grpc..")))
        .because(
            "libraries stay in the adapters (docs/ARCHITECTURE.md, Rings): let the inner ring own"
                + " an interface named for its need, and implement it in an adapter")
        .check(Product.CLASSES);
  }
}
