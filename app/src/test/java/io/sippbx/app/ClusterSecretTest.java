package io.sippbx.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.config.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterSecretTest {

  @TempDir Path temp = Path.of("");

  private Path folder() {
    return temp.resolve("data");
  }

  @Test
  void isTheSameAtTheNextStart() throws Exception {
    Secret<byte[]> first = ClusterSecret.keptIn(folder(), new Random(1));
    Secret<byte[]> next = ClusterSecret.keptIn(folder(), new Random(2));
    assertThat(first.value()).hasSize(32).isEqualTo(next.value());
    assertThat(folder()).isDirectoryContaining(file -> file.endsWith(ClusterSecret.FILE));
    assertThat(folder().toFile().list()).hasSize(1);
  }

  @Test
  void isForNobodyElseToRead() throws Exception {
    ClusterSecret.keptIn(folder(), new Random(1));
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(folder().resolve(ClusterSecret.FILE))))
        .isEqualTo("rw-------");
  }

  @Test
  void isNotMadeAnewWhereItIsBroken() throws Exception {
    Files.createDirectories(folder());
    Files.writeString(folder().resolve(ClusterSecret.FILE), "abcd");
    assertThatThrownBy(() -> ClusterSecret.keptIn(folder(), new Random(1)))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining(ClusterSecret.FILE)
        .hasMessageContaining("64 hexadecimal digits")
        .hasMessageNotContaining("abcd");
  }

  @Test
  void namesTheFolderThatIsNone() throws Exception {
    Files.createFile(folder());
    assertThatThrownBy(() -> ClusterSecret.keptIn(folder(), new Random(1)))
        .isInstanceOf(NodeStartException.class)
        .hasMessageContaining("standalone.data_dir = " + folder());
  }

  @Test
  void isDerivedFromWhatIsConfigured() {
    Secret<byte[]> one = ClusterSecret.of(new Secret<>("0123456789abcdef"));
    assertThat(one.value()).hasSize(32);
    assertThat(ClusterSecret.of(new Secret<>("0123456789abcdef")).value()).isEqualTo(one.value());
    assertThat(ClusterSecret.of(new Secret<>("0123456789abcdeg")).value())
        .isNotEqualTo(one.value());
  }
}
