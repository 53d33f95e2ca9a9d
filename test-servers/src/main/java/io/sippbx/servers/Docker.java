package io.sippbx.servers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.NotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.dockerclient.DockerClientProviderStrategy;
import org.testcontainers.utility.TestcontainersConfiguration;

/**
 * Whether tests can take a server from Docker: where it answers and has the image. Nothing is ever
 * fetched for them, so that they run the same without a network.
 */
public final class Docker {

  private static final String HOST = "DOCKER_HOST";
  private static final Path SOCKET = Path.of("/var/run/docker.sock");
  private static final String NO_REAPER = "TESTCONTAINERS_RYUK_DISABLED";

  private Docker() {}

  /** What is asked of Docker, in this order. */
  interface Daemon {

    /** Whether it is there. */
    boolean answers();

    /** The image of the container that removes those of a test that was killed. */
    String reaper();

    /** Which of these it lacks. */
    List<String> lacks(List<String> images);
  }

  /** Whether this Docker, if there is one, has this image and what a container of it needs. */
  public static boolean has(String image) {
    return has(image, System.getenv(), Files::exists, new Testcontainers());
  }

  static boolean has(
      String image, Map<String, String> environment, Predicate<Path> exists, Daemon daemon) {
    // It is asked only where there is a sign of it: a futile question takes seconds.
    if (!environment.containsKey(HOST) && !exists.test(SOCKET)) {
      return false;
    }
    if (!daemon.answers()) {
      return false;
    }
    boolean withoutReaper = Boolean.parseBoolean(environment.getOrDefault(NO_REAPER, "false"));
    List<String> needed = withoutReaper ? List.of(image) : List.of(image, daemon.reaper());
    return daemon.lacks(needed).isEmpty();
  }

  private static final class Testcontainers implements Daemon {

    @Override
    public boolean answers() {
      return DockerClientFactory.instance().isDockerAvailable();
    }

    @Override
    @SuppressWarnings("deprecation") // nothing else tells its version
    public String reaper() {
      return TestcontainersConfiguration.getInstance().getRyukImage();
    }

    /** By a client of our own: the first use of Testcontainers' own fetches the reaper. */
    @Override
    public List<String> lacks(List<String> images) {
      try (DockerClient client =
          DockerClientProviderStrategy.getClientForConfig(
              DockerClientFactory.instance().getTransportConfig())) {
        return images.stream().filter(each -> !has(client, each)).toList();
      } catch (IOException e) {
        return images;
      }
    }

    private static boolean has(DockerClient client, String image) {
      try {
        client.inspectImageCmd(image).exec();
        return true;
      } catch (NotFoundException e) {
        return false;
      }
    }
  }
}
