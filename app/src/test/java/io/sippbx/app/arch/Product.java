package io.sippbx.app.arch;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.List;

/** All our classes without their tests, and the names by which rules speak of them. */
final class Product {

  static final String[] PLANES = {"io.sippbx.control", "io.sippbx.media", "io.sippbx.event"};

  /** Read once: there are thousands. */
  static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          // a module of their own, for tests
          .withImportOption(location -> !location.contains("/io/sippbx/servers/"))
          .importPackages("io.sippbx");

  private Product() {}

  /** The classes of these names, with all that is nested in them. */
  static DescribedPredicate<JavaClass> named(String... names) {
    List<String> all = List.of(names);
    return DescribedPredicate.describe(
        "are one of " + all,
        type -> {
          String name = type.getBaseComponentType().getName();
          int nested = name.indexOf('$');
          return all.contains(nested < 0 ? name : name.substring(0, nested));
        });
  }

  /** The classes of these packages, those below where it ends with two dots. */
  static DescribedPredicate<JavaClass> in(String... packages) {
    return JavaClass.Predicates.resideInAnyPackage(packages)
        .as("are in " + Arrays.asList(packages));
  }
}
