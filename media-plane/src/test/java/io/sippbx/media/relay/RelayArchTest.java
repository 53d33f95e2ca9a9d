package io.sippbx.media.relay;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class RelayArchTest {

  private final JavaClasses classes =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.sippbx.media");

  @Test
  void rtpIsPure() {
    noClasses()
        .that()
        .resideInAPackage("io.sippbx.media.rtp..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.netty..",
            "io.grpc..",
            "org.slf4j..",
            "java.net..",
            "java.lang.foreign..",
            "java.util.concurrent..",
            "io.sippbx.media.relay..")
        .because("what is read from a packet must be testable from bytes alone: ADR-0003")
        .check(classes);
    readNoClock("io.sippbx.media.rtp..");
  }

  @Test
  void thePathKnowsNoAdapter() {
    noClasses()
        .that()
        .resideInAPackage("io.sippbx.media.relay")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.netty..",
            "java.net..",
            "java.nio.channels..",
            "java.lang.foreign..",
            "io.sippbx.media.relay.ffm..",
            "io.sippbx.media.relay.netty..",
            "io.sippbx.media.relay.start..")
        .because("the packet loop is a port with two adapters: ADR-0003; put it behind PacketLoop")
        .check(classes);
    readNoClock("io.sippbx.media.relay..");
  }

  private void readNoClock(String packages) {
    noClasses()
        .that()
        .resideInAPackage(packages)
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(java.time.Instant.class, "now")
        .because("time is given to the loop when it is made: ADR-0003")
        .check(classes);
  }

  @Test
  void adaptersKnowOnlyThePort() {
    noClasses()
        .that()
        .resideInAPackage("io.sippbx.media.relay.ffm..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.netty..", "io.sippbx.media.relay.netty..", "java.net..")
        .because("each adapter stands alone: ADR-0003")
        .check(classes);
    noClasses()
        .that()
        .resideInAPackage("io.sippbx.media.relay.netty..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("java.lang.foreign..", "io.sippbx.media.relay.ffm..")
        .because("each adapter stands alone: ADR-0003")
        .check(classes);
  }

  @Test
  void theRelayKnowsNothingOfTheRestOfTheNode() {
    noClasses()
        .that()
        .resideInAnyPackage("io.sippbx.media.relay..", "io.sippbx.media.rtp..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.grpc..",
            "io.sippbx.proto..",
            "io.sippbx.media.control..",
            "io.sippbx.media.session..",
            "io.sippbx.media.port..")
        .because("dependencies run towards the relay: docs/adr/0003")
        .check(classes);
  }
}
