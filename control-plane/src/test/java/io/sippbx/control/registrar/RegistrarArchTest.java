package io.sippbx.control.registrar;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.sippbx.control.registrar.binding.Reach;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RegistrarArchTest {

  private static final String[] PURE = {
    "io.sippbx.control.registrar.binding", "io.sippbx.control.sip.auth"
  };

  private final JavaClasses all =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.sippbx.control.registrar", "io.sippbx.control.sip.auth");

  @Test
  void decisionsSeeValuesOnly() {
    assertThat(all.contain(Reach.class)).isTrue();
    classes()
        .that()
        .resideInAnyPackage(PURE)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "io.sippbx.control.carried",
            "io.sippbx.control.registrar.binding",
            "io.sippbx.control.sip.auth",
            "io.sippbx.control.sip.message",
            "io.sippbx.control.sip.transport",
            "io.sippbx.shared.identity",
            "io.sippbx.shared.net",
            "org.jspecify.annotations",
            "java.lang..",
            "java.nio..",
            "java.security..",
            "java.time..",
            "java.util",
            "java.util.function",
            "java.util.regex",
            "java.util.stream",
            "javax.crypto..")
        .because("registrations are replayed by the simulator: store and loop are the service's")
        .check(all);
  }

  @Test
  void nothingReadsAClockDrawsLotsOrDependsOnHashOrder() {
    noClasses()
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Instant.class, "now")
        .orShould()
        .dependOnClassesThat()
        .belongToAnyOf(HashMap.class, HashSet.class, Random.class)
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("java.util.concurrent..", "io.netty..", "org.slf4j..", "java.net..")
        .because(
            "time, chance and turns come through the loop, and the same seed gives the same run")
        .check(all);
  }
}
