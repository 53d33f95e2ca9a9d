package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files of a Redis are brought to the disk, and when. */
class AppendOnlySyncTest {

  @TempDir private Path data = Path.of("");

  @Test
  void bringsWhatIsNewToTheDiskOnce() throws IOException {
    var sync = new AppendOnlySync(data);
    assertThat(sync.sync()).as("there is nothing yet").isZero();
    Path file = Files.writeString(data.resolve("appendonly.aof"), "SET a 1");
    Files.writeString(data.resolve("redis.log"), "Ready to accept connections");
    assertThat(sync.sync()).isEqualTo(1);
    assertThat(sync.sync()).isZero();
    Files.writeString(file, "SET b 1", StandardOpenOption.APPEND);
    assertThat(sync.sync()).isEqualTo(1);
    assertThat(sync.sync()).isZero();
    Files.delete(file);
    assertThat(sync.sync()).isZero();
  }

  @Test
  void knowsTheFolderOfLaterServers() throws IOException {
    Path folder = Files.createDirectory(data.resolve("appendonlydir"));
    Files.writeString(folder.resolve("appendonly.aof.1.base.rdb"), "REDIS");
    Path last = Files.writeString(folder.resolve("appendonly.aof.1.incr.aof"), "SET a 1");
    Files.writeString(folder.resolve("appendonly.aof.manifest"), "file");
    var sync = new AppendOnlySync(data);
    assertThat(sync.sync()).isEqualTo(3);
    Files.writeString(last, "SET b 1", StandardOpenOption.APPEND);
    assertThat(sync.sync()).isEqualTo(1);
  }
}
