package io.sippbx.app;

import io.sippbx.shared.config.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * The 32 octets from which call keys, tags and nonces are derived. What is stored can be used only
 * by who has the same.
 */
final class ClusterSecret {

  /** Where a process that is alone keeps its own, so that it finds its calls after a restart. */
  static final String FILE = "cluster.secret";

  private static final int BYTES = 32;

  private ClusterSecret() {}

  /** The configured one, whatever its length. */
  static Secret<byte[]> of(Secret<String> configured) {
    try {
      return new Secret<>(
          MessageDigest.getInstance("SHA-256")
              .digest(configured.value().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Expected the JDK to have SHA-256, but", e);
    }
  }

  /** One for a process whose state ends with it. */
  static Secret<byte[]> random(RandomGenerator random) {
    byte[] octets = new byte[BYTES];
    random.nextBytes(octets);
    return new Secret<>(octets);
  }

  /**
   * The one in a folder, which is made there when there is none.
   *
   * @throws NodeStartException naming the file, if it cannot be read or made
   */
  static Secret<byte[]> keptIn(Path folder, RandomGenerator random) throws NodeStartException {
    Path file = folder.resolve(FILE);
    try {
      Optional<Secret<byte[]>> kept = read(file);
      if (kept.isPresent()) {
        return kept.get();
      }
      make(file, random(random));
      return read(file).orElseThrow(() -> new NoSuchFileException(file.toString()));
    } catch (IOException e) {
      throw new NodeStartException(
          "standalone.data_dir = "
              + folder
              + ": expected a folder that can be written, or cluster.secret to be set, but "
              + e,
          e);
    }
  }

  private static Optional<Secret<byte[]>> read(Path file) throws IOException, NodeStartException {
    try {
      byte[] octets = HexFormat.of().parseHex(Files.readString(file).strip());
      if (octets.length == BYTES) {
        return Optional.of(new Secret<>(octets));
      }
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      // What is in it must not be told.
    }
    throw new NodeStartException(
        file
            + ": expected "
            + 2 * BYTES
            + " hexadecimal digits: restore it, or remove it together with the redis folder beside"
            + " it");
  }

  /** Whole or not at all, and the first one stays, whoever else makes one now. */
  private static void make(Path file, Secret<byte[]> secret) throws IOException {
    Path folder = Files.createDirectories(file.toAbsolutePath().getParent());
    Path fresh =
        Files.createTempFile(
            folder,
            FILE,
            ".new",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.writeString(fresh, HexFormat.of().formatHex(secret.value()) + "\n");
      Files.createLink(file, fresh);
    } catch (FileAlreadyExistsException e) {
      return;
    } finally {
      Files.delete(fresh);
    }
  }
}
