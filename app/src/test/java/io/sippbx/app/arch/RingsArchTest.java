package io.sippbx.app.arch;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import java.time.Clock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("pure <- runtime <- adapters <- app")
class RingsArchTest {

  /** The classes of {@code call} that run decisions; all others make them. */
  private static final String[] CALL_RUNTIME = {
    "io.sippbx.control.call.Beat",
    "io.sippbx.control.call.CallRuntime",
    "io.sippbx.control.call.CallMailbox",
    "io.sippbx.control.call.CallPlaces",
    "io.sippbx.control.call.CallShared",
    "io.sippbx.control.call.CallTimers",
    "io.sippbx.control.call.EffectRunner",
    "io.sippbx.control.call.EndedCalls",
    "io.sippbx.control.call.FoldedCall",
    "io.sippbx.control.call.Forwarder",
    "io.sippbx.control.call.HeldRecord",
    "io.sippbx.control.call.Ownership",
    "io.sippbx.control.call.PendingCommit",
    "io.sippbx.control.call.QuietCalls",
    "io.sippbx.control.call.RoutingCounters",
    "io.sippbx.control.call.SuccessRepeater",
    "io.sippbx.control.call.Unhurried",
    "io.sippbx.control.call.ActiveCalls",
    "io.sippbx.control.call.CallKeys"
  };

  private static final String[] PURE_PACKAGES = {
    "io.sippbx.control.sip.message",
    "io.sippbx.control.offer",
    "io.sippbx.control.call",
    "io.sippbx.control.registrar.binding",
    "io.sippbx.shared.sdp",
    "io.sippbx.shared.net",
    "io.sippbx.media.rtp"
  };

  private static final DescribedPredicate<JavaClass> PURE =
      Product.in(PURE_PACKAGES).and(not(Product.named(CALL_RUNTIME))).as("are pure");

  /** The adapters of the control plane, and its wiring. */
  private static final DescribedPredicate<JavaClass> PURE_OR_RUNTIME_OF_CONTROL =
      Product.in("io.sippbx.control..")
          .and(
              not(
                  Product.in(
                      "io.sippbx.control.event.kafka",
                      "io.sippbx.control.mesh.grpc",
                      "io.sippbx.control.sip.transport",
                      "io.sippbx.control.sip.locate",
                      "io.sippbx.control.store.redis")))
          .and(
              not(
                  Product.named(
                      "io.sippbx.control.ControlPlane",
                      "io.sippbx.control.media.GrpcMediaPlane",
                      "io.sippbx.control.media.MediaLink",
                      "io.sippbx.control.media.NettyMediaChannels",
                      "io.sippbx.control.media.SystemHostResolver")))
          .as("are pure or runtime code of the control plane");

  private static final DescribedPredicate<JavaAccess<?>> READS_A_CLOCK =
      DescribedPredicate.describe(
          "reads a clock",
          access -> {
            JavaClass owner = access.getTargetOwner();
            String name = access.getName();
            boolean system =
                owner.isEquivalentTo(System.class)
                    && List.of("nanoTime", "currentTimeMillis").contains(name);
            return system || (owner.getPackageName().startsWith("java.time") && name.equals("now"));
          });

  private static final DescribedPredicate<JavaAccess<?>> DRAWS_LOTS =
      DescribedPredicate.describe(
          "draws lots",
          access ->
              (access.getTargetOwner().isEquivalentTo(Math.class)
                      && access.getName().equals("random"))
                  || (access.getTargetOwner().isEquivalentTo(UUID.class)
                      && access.getName().equals("randomUUID")));

  private static final DescribedPredicate<JavaAccess<?>> MAKES_A_COLLECTION_WITHOUT_ORDER =
      DescribedPredicate.describe(
          "makes a set or map without an order",
          access -> {
            JavaClass owner = access.getTargetOwner();
            boolean immutable =
                (owner.isEquivalentTo(Set.class) || owner.isEquivalentTo(Map.class))
                    && List.of("of", "copyOf", "ofEntries").contains(access.getName());
            boolean collector =
                owner.getName().equals("java.util.stream.Collectors")
                    && List.of(
                            "toSet",
                            "toMap",
                            "toUnmodifiableSet",
                            "toUnmodifiableMap",
                            "groupingBy",
                            "partitioningBy")
                        .contains(access.getName());
            return immutable || collector;
          });

  private static final String INSTEAD_OF_EFFECTS =
      "pure code is replayed by simulators (docs/ARCHITECTURE.md, Rings and The life of a call):"
          + " take time and chance as arguments, let work out as an effect or action, and tell"
          + " what is worth a log line by a value";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "io.sippbx.control.call.CallDecider",
        "io.sippbx.control.sip.message.SipParser",
        "io.sippbx.control.offer.MediaPlan",
        "io.sippbx.control.registrar.binding.Registrar",
        "io.sippbx.shared.sdp.SessionDescription",
        "io.sippbx.shared.net.IpAddress",
        "io.sippbx.media.rtp.RtpHeader"
      })
  void knowWhoIsPure(String name) {
    assertThat(PURE.test(Product.CLASSES.get(name))).isTrue();
  }

  @Test
  void exceptOnlyWhatThereIs() {
    for (String name : CALL_RUNTIME) {
      assertThat(PURE.test(Product.CLASSES.get(name))).as(name).isFalse();
    }
  }

  @Test
  void pureCodeSeesNoLibrariesThreadsSocketsOrFiles() {
    noClasses()
        .that(PURE)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.netty..",
            "io.grpc..",
            "com.google..",
            "org.slf4j..",
            "java.net..",
            "java.nio.channels..",
            "java.nio.file..",
            "java.io..",
            "java.util.concurrent..",
            "java.lang.foreign..")
        .orShould()
        .dependOnClassesThat()
        .belongToAnyOf(Thread.class, ThreadLocal.class)
        .because(INSTEAD_OF_EFFECTS)
        .check(Product.CLASSES);
  }

  @Test
  void pureCodeReadsNoClockAndDrawsNoLots() {
    noClasses()
        .that(PURE)
        .should()
        .accessTargetWhere(READS_A_CLOCK)
        .orShould()
        .accessTargetWhere(DRAWS_LOTS)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(Random.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(Clock.class)
        .because(INSTEAD_OF_EFFECTS)
        .check(Product.CLASSES);
  }

  @Test
  void pureCodeDoesNotSeeItsRuntime() {
    noClasses()
        .that(PURE)
        .should()
        .dependOnClassesThat(
            Product.named(CALL_RUNTIME)
                .or(Product.in("io.sippbx.control.loop", "io.sippbx.control.store")))
        .because(
            "rings depend one way (docs/ARCHITECTURE.md, Rings): the runtime calls decisions and"
                + " carries out their effects")
        .check(Product.CLASSES);
  }

  @Test
  void onlyTheRedisStoreSeesItsClient() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.sippbx.control.store.redis")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.lettuce..", "redis..")
        .because(
            "what is stored is committed by its scripts only (docs/adr/0007): ask through CallStore,"
                + " PartitionStore, RegistrationStore or LimitStore, and add to them what is missing")
        .check(Product.CLASSES);
  }

  @Test
  void onlyAdaptersSeeKafka() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "io.sippbx.control.event.kafka",
            "io.sippbx.event.kafka",
            "io.sippbx.shared.kafka",
            "io.sippbx.app")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.kafka..")
        .because(
            "a process without Kafka loads none of its classes, and what is done with events does"
                + " not depend on how they come (docs/EVENTS.md): let them be handed over")
        .check(Product.CLASSES);
  }

  @Test
  void sameSeedGivesTheSameRunInAnyJvm() {
    noClasses()
        .that(PURE_OR_RUNTIME_OF_CONTROL)
        .should()
        .accessTargetWhere(MAKES_A_COLLECTION_WITHOUT_ORDER)
        .orShould()
        .dependOnClassesThat()
        .belongToAnyOf(HashMap.class, HashSet.class)
        .because(
            "their order differs from JVM to JVM, and a simulated node must run the same from the"
                + " same seed (docs/ARCHITECTURE.md, Rings): use List, LinkedHashMap, TreeMap,"
                + " EnumMap or, for an empty one, Collections.emptyMap()")
        .check(Product.CLASSES);
  }

  @Test
  void answersComeBackAsInputs() {
    noClasses()
        .that(PURE_OR_RUNTIME_OF_CONTROL)
        .should()
        .dependOnClassesThat()
        .areAssignableTo(CompletableFuture.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(Thread.class)
        .orShould()
        .accessTargetWhere(READS_A_CLOCK)
        .because(
            "no futures, threads or clocks in pure or runtime code (docs/ARCHITECTURE.md, What we"
                + " decided not to do): hand the answer to the call's mailbox through its Loop, and"
                + " ask the Loop for the time")
        .check(Product.CLASSES);
  }

  @Test
  void nothingOfTheProductRunsOnVirtualTime() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.sippbx.control.testkit")
        .and()
        // it makes calls of its own, before there are any
        .doNotHaveFullyQualifiedName("io.sippbx.control.WarmUp")
        .should()
        .dependOnClassesThat(Product.in("io.sippbx.control.testkit"))
        .because(
            "it is for tests and the simulator: a Loop is given to who needs turns and time"
                + " (docs/ARCHITECTURE.md, Rings)")
        .check(Product.CLASSES);
  }
}
