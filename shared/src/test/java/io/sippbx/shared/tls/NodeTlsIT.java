package io.sippbx.shared.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.handler.ssl.SslContext;
import io.sippbx.servers.ClusterCertificates;
import io.sippbx.servers.ClusterCertificates.Given;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("TLS between nodes, by gRPC on loopback")
class NodeTlsIT {

  private static final Duration EVERY = Duration.ofMillis(10);

  @TempDir private Path folder = Path.of("");

  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closesAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  private NodeTls tls(Given given) throws IOException {
    NodeTls tls = NodeTls.open(given.ca(), given.certificate(), given.key(), EVERY);
    open.add(tls);
    return tls;
  }

  private Server serve(NodeTls tls) throws IOException {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(tls.server())
            .addService(new HealthStatusManager().getHealthService())
            .build()
            .start();
    open.add(server::shutdownNow);
    return server;
  }

  private ServingStatus ask(Server server, SslContext client) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()))
            .sslContext(client)
            .build();
    try {
      return HealthGrpc.newBlockingStub(channel)
          .withDeadlineAfter(20, TimeUnit.SECONDS)
          .check(HealthCheckRequest.getDefaultInstance())
          .getStatus();
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void letsNodesOfOneAuthoritySpeakWhateverTheirNames() throws IOException {
    var authority = new ClusterCertificates(folder, "ours");
    Server server = serve(tls(authority.give("media-1")));
    assertThat(ask(server, tls(authority.give("control-1")).client()))
        .isEqualTo(ServingStatus.SERVING);
  }

  @Test
  void refusesWhoHasACertificateOfAnotherAuthority() throws IOException {
    Given ours = new ClusterCertificates(folder, "ours").give("media-1");
    Given theirs = new ClusterCertificates(folder, "theirs").give("control-1");
    Server server = serve(tls(ours));
    // Such a peer may well trust us: it is we who do not trust it.
    NodeTls stranger = tls(new Given(ours.ca(), theirs.certificate(), theirs.key()));
    assertUnavailable(server, stranger.client());
  }

  @Test
  void refusesWhoShowsNone() throws IOException, SSLException {
    Given ours = new ClusterCertificates(folder, "ours").give("media-1");
    Server server = serve(tls(ours));
    assertUnavailable(server, GrpcSslContexts.forClient().trustManager(ours.ca().toFile()).build());
  }

  @Test
  void doesNotSpeakWithAServerOfAnotherAuthority() throws IOException {
    Given ours = new ClusterCertificates(folder, "ours").give("control-1");
    Given theirs = new ClusterCertificates(folder, "theirs").give("media-1");
    // One that would take anybody of ours.
    Server server = serve(tls(new Given(ours.ca(), theirs.certificate(), theirs.key())));
    assertUnavailable(server, tls(ours).client());
  }

  private void assertUnavailable(Server server, SslContext client) {
    assertThatThrownBy(() -> ask(server, client))
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }

  @Test
  void takesFilesThatHaveChanged() throws IOException {
    var before = new ClusterCertificates(folder, "ours");
    Given node = before.give("node");
    Server server = serve(tls(node));
    Given next = new ClusterCertificates(folder, "next").give("node");
    NodeTls peer = tls(next);
    assertUnavailable(server, peer.client());
    Files.copy(next.ca(), node.ca(), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(next.certificate(), node.certificate(), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(next.key(), node.key(), StandardCopyOption.REPLACE_EXISTING);
    Awaitility.await("the new ones")
        .atMost(Duration.ofSeconds(20))
        .ignoreException(StatusRuntimeException.class)
        .until(() -> ask(server, peer.client()) == ServingStatus.SERVING);
  }

  @Test
  void knowsWhenItsCertificateEnds() throws IOException {
    NodeTls tls = tls(new ClusterCertificates(folder, "ours").give("node"));
    assertThat(tls.expires()).isAfter(Instant.now());
  }

  @Test
  void saysWhichFileIsNotUsable() throws IOException {
    Given given = new ClusterCertificates(folder, "ours").give("node");
    Path wrong = Files.writeString(folder.resolve("wrong.pem"), "nothing of the kind");
    assertThatThrownBy(() -> NodeTls.open(given.ca(), wrong, given.key(), EVERY))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("wrong.pem");
    assertThatThrownBy(() -> NodeTls.open(wrong, given.certificate(), given.key(), EVERY))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("wrong.pem");
    Path missing = folder.resolve("missing.pem");
    assertThatThrownBy(() -> NodeTls.open(given.ca(), given.certificate(), missing, EVERY))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("missing.pem");
  }
}
