package io.sippbx.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The planes as processes of their own make the same call. */
class PlanesIT {

  @TempDir Path folder = Path.of("");

  @Test
  void callsThroughMediaPlaneOfItsOwn() throws IOException {
    String control = "127.0.0.1:" + Ports.pair();
    Path mediaFolder = Files.createDirectory(folder.resolve("media"));
    Path controlFolder = Files.createDirectory(folder.resolve("control"));
    try (EdgeProcess media =
            EdgeProcess.start(
                mediaFolder,
                40,
                List.of(),
                List.of("listen: \"" + control + "\""),
                List.of("media-plane", "--set", "cluster.node_id=media-1"));
        EdgeProcess edge =
            EdgeProcess.start(
                controlFolder,
                2,
                List.of(),
                List.of(),
                List.of("control-plane", "--media", control, "--set", "cluster.node_id=edge-1"));
        Sipp callee = Sipp.scenario("callee").option("-d", "50").listen(folder)) {
      assertThat(media.child().output())
          .as("while no control node had told it of calls to restore")
          .contains("node.waiting", "restoring");
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      Sipp caller =
          Sipp.scenario("caller").option("-d", "500").succeed(folder, edge.sip(Transport.UDP));
      callee.awaitSuccess();
      edge.awaitNothingLeft();
      media.awaitNothingLeft();
      JsonNode cdr = edge.cdr(caller.callId());
      assertThat(cdr.path("status").asText()).isEqualTo("completed");
      assertThat(cdr.path("node").asText()).isEqualTo("edge-1");
      assertThat(cdr.path("media_node").asText()).isEqualTo("media-1");
      assertThat(List.of(edge, media))
          .as("what they say to each other wakes no thread but their loops")
          .allSatisfy(
              plane ->
                  assertThat(Tasks.names(plane.child()))
                      .isNotEmpty()
                      .noneMatch(name -> name.startsWith("grpc-default")));
    }
  }

  @Test
  void standaloneTellsItsMediaNodeOnTheLoopOfItsCalls() {
    try (EdgeProcess edge = EdgeProcess.standalone(folder);
        Sipp callee = Sipp.scenario("callee").option("-d", "50").listen(folder)) {
      Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", callee);
      Sipp.scenario("caller").option("-d", "500").succeed(folder, edge.sip(Transport.UDP));
      callee.awaitSuccess();
      edge.awaitNothingLeft();
      assertThat(Tasks.names(edge.child()))
          .anyMatch(name -> name.startsWith("sip-pbx-loop"))
          .noneMatch(name -> name.startsWith("grpc-default"))
          .noneMatch(name -> name.startsWith("media-node"));
    }
  }
}
