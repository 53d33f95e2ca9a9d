package io.sippbx.servers;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A server is Docker's")
class DockerTest {

  private static final Map<String, String> NOTHING_SET = Map.of();
  private static final Map<String, String> NAMED = Map.of("DOCKER_HOST", "tcp://192.0.2.1:2375");
  private static final Predicate<Path> NO_SOCKET = Set.<Path>of()::contains;
  private static final Predicate<Path> SOCKET = Path.of("/var/run/docker.sock")::equals;

  /** A Docker that has these images and keeps what it was asked. */
  private static final class Daemon implements Docker.Daemon {

    private final boolean answers;
    private final List<String> images;
    private final List<String> asked = new ArrayList<>();

    Daemon(boolean answers, String... images) {
      this.answers = answers;
      this.images = List.of(images);
    }

    @Override
    public boolean answers() {
      asked.add("answers");
      return answers;
    }

    @Override
    public String reaper() {
      return "reaper:1";
    }

    @Override
    public List<String> lacks(List<String> needed) {
      asked.addAll(needed);
      return needed.stream().filter(each -> !images.contains(each)).toList();
    }
  }

  @Test
  void whereItAnswersAndHasTheImageAndTheReaper() {
    var daemon = new Daemon(true, "kafka:1", "reaper:1");
    assertThat(Docker.has("kafka:1", NOTHING_SET, SOCKET, daemon)).isTrue();
    assertThat(Docker.has("kafka:1", NAMED, NO_SOCKET, daemon)).isTrue();
  }

  @Test
  void notWhereThereIsNoSignOfItAndThenItIsNotAsked() {
    var daemon = new Daemon(true, "kafka:1", "reaper:1");
    assertThat(Docker.has("kafka:1", NOTHING_SET, NO_SOCKET, daemon)).isFalse();
    assertThat(daemon.asked).isEmpty();
  }

  @Test
  void notWhereItDoesNotAnswerAndThenItIsAskedForNoImage() {
    var daemon = new Daemon(false, "kafka:1", "reaper:1");
    assertThat(Docker.has("kafka:1", NOTHING_SET, SOCKET, daemon)).isFalse();
    assertThat(daemon.asked).containsExactly("answers");
  }

  @Test
  void notWhereTheImageWouldHaveToBeFetched() {
    var daemon = new Daemon(true, "kafka:2", "reaper:1");
    assertThat(Docker.has("kafka:1", NOTHING_SET, SOCKET, daemon)).isFalse();
  }

  @Test
  void notWhereTheReaperWouldHaveToBeFetchedUnlessNoneIsWanted() {
    var daemon = new Daemon(true, "kafka:1");
    assertThat(Docker.has("kafka:1", NOTHING_SET, SOCKET, daemon)).isFalse();
    assertThat(
            Docker.has("kafka:1", Map.of("TESTCONTAINERS_RYUK_DISABLED", "true"), SOCKET, daemon))
        .isTrue();
  }
}
