package io.sippbx.system;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A program that the tests need beside the product. */
enum Tool {
  SIPP("sipp", "sip-tester"),
  BARESIP("baresip", "baresip-core"),
  TCPDUMP("tcpdump", "tcpdump"),
  PROTOC("protoc", "protobuf-compiler");

  private static final Pattern SEPARATOR = Pattern.compile(Pattern.quote(File.pathSeparator));

  private final String program;
  private final String debianPackage;

  Tool(String program, String debianPackage) {
    this.program = program;
    this.debianPackage = debianPackage;
  }

  /** What it is called. */
  String program() {
    return program;
  }

  /**
   * Where it is.
   *
   * @throws AssertionError naming the package to install
   */
  String path() {
    String search = System.getenv().getOrDefault("PATH", "");
    for (String folder : (Iterable<String>) SEPARATOR.splitAsStream(search)::iterator) {
      Path candidate = Path.of(folder, program);
      if (Files.isExecutable(candidate)) {
        return candidate.toString();
      }
    }
    throw new AssertionError(
        program + " is missing: install it (Debian: apt-get install " + debianPackage + ")");
  }
}
