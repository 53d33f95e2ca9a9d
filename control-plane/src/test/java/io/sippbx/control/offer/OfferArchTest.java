package io.sippbx.control.offer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.PayloadForm;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.shared.identity.Content;
import java.util.List;
import org.junit.jupiter.api.Test;

class OfferArchTest {

  /** Those whose order of iteration is the same in every JVM; no clocks, no chance. */
  private static final List<String> OF_JAVA_UTIL =
      List.of(
          "java.util.ArrayList",
          "java.util.Collections",
          "java.util.Iterator",
          "java.util.List",
          "java.util.Locale",
          "java.util.Objects",
          "java.util.Optional",
          "java.util.OptionalInt",
          "java.util.Set",
          "java.util.TreeSet");

  private static final DescribedPredicate<JavaClass> VALUES =
      DescribedPredicate.describe(
          "are values",
          type -> {
            String name = type.getBaseComponentType().getName();
            String itsPackage = type.getBaseComponentType().getPackageName();
            return OF_JAVA_UTIL.contains(name)
                || itsPackage.startsWith("java.lang")
                || itsPackage.startsWith("java.util.function")
                || itsPackage.startsWith("java.util.stream")
                || itsPackage.equals("io.sippbx.control.offer")
                || itsPackage.equals("io.sippbx.shared.sdp")
                || itsPackage.equals("io.sippbx.shared.net")
                || itsPackage.equals("org.jspecify.annotations")
                || name.equals("java.nio.charset.StandardCharsets")
                || name.equals("java.nio.charset.Charset")
                || type.isEquivalentTo(Content.class)
                || type.isEquivalentTo(StreamSpec.class)
                || type.isEquivalentTo(StreamEnd.class)
                || type.isEquivalentTo(PayloadForm.class)
                || type.isEquivalentTo(MediaNeed.class)
                || type.isEquivalentTo(StreamAddresses.class)
                || type.isPrimitive();
          });

  @Test
  void offersAndDescriptionsAreMadeOfValuesOnly() {
    classes()
        .that()
        .resideInAnyPackage("io.sippbx.control.offer", "io.sippbx.shared.sdp")
        .should()
        .onlyDependOnClassesThat(VALUES)
        .because(
            "decide is replayed by the simulator: let a new need in as an argument, and iterate"
                + " over lists and sorted sets only")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.sippbx.control.offer", "io.sippbx.shared.sdp"));
  }
}
