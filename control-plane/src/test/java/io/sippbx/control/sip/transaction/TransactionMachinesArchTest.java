package io.sippbx.control.sip.transaction;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransactionMachinesArchTest {

  private static final List<Class<?>> MACHINES =
      List.of(
          InviteClientTransaction.class,
          NonInviteClientTransaction.class,
          InviteServerTransaction.class,
          NonInviteServerTransaction.class,
          TimerSettings.class,
          Failure.class);

  private static final DescribedPredicate<JavaClass> OF_A_MACHINE =
      DescribedPredicate.describe(
          "are of a transaction machine",
          type ->
              MACHINES.stream()
                  .anyMatch(
                      machine ->
                          name(type).equals(machine.getName())
                              || name(type).startsWith(machine.getName() + "$")));

  /** Of an array, its elements'. */
  private static String name(JavaClass type) {
    return type.getBaseComponentType().getName();
  }

  private final JavaClasses all =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("io.sippbx.control.sip.transaction");

  @Test
  void machinesSeeNothingButThemselvesAndValues() {
    classes()
        .that(OF_A_MACHINE)
        .should()
        .onlyDependOnClassesThat(
            OF_A_MACHINE
                .or(
                    JavaClass.Predicates.resideInAnyPackage(
                        "java.lang..", "java.util", "org.jspecify.annotations"))
                .or(JavaClass.Predicates.equivalentTo(Duration.class)))
        .because(
            "machines are replayed by the simulator: messages, timers and sockets are the layer's;"
                + " let a new need out as an Action")
        .check(all);
    noClasses()
        .that(OF_A_MACHINE)
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.util.Random")
        .because("chance is an input")
        .check(all);
  }

  @Test
  void layerHasNoThreadsLocksClocksOrAdapters() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.netty..", "io.grpc..", "org.slf4j..", "java.net..")
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("java.util.concurrent", "java.util.concurrent.locks")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .because("time and turns come through the Loop, so that a cluster runs in one thread")
        .check(all);
  }
}
