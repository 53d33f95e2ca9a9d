package io.sippbx.control.sip.message;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The messages of RFC 4475 and RFC 5118, each with the expectation that lies beside it. */
final class RfcMessages {

  /** A file name without its ending, its octets, and the lines of its expectation. */
  record RfcMessage(String name, List<Byte> octets, List<String> expectation) {

    byte[] bytes() {
      var bytes = new byte[octets.size()];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = octets.get(i);
      }
      return bytes;
    }

    /** The value of the one line that starts with {@code key} and a colon. */
    String line(String key) {
      return expectation.stream()
          .filter(line -> line.startsWith(key + ":"))
          .map(line -> line.substring(key.length() + 1).strip())
          .findFirst()
          .orElse("");
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private RfcMessages() {}

  /** All messages of a folder of the test resources, by name. */
  static List<RfcMessage> in(String folder) {
    try (Stream<Path> files =
        Files.list(
            Path.of(Objects.requireNonNull(RfcMessages.class.getResource("/" + folder)).toURI()))) {
      return files
          .filter(file -> file.toString().endsWith(".dat"))
          .sorted()
          .map(RfcMessages::read)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** All messages of both RFCs. */
  static List<RfcMessage> all() {
    return Stream.concat(in("rfc4475").stream(), in("rfc5118").stream()).toList();
  }

  private static RfcMessage read(Path file) {
    String name = file.getFileName().toString().replace(".dat", "");
    try {
      byte[] bytes = Files.readAllBytes(file);
      var octets = new Byte[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        octets[i] = bytes[i];
      }
      return new RfcMessage(
          name, List.of(octets), Files.readAllLines(file.resolveSibling(name + ".expect")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
