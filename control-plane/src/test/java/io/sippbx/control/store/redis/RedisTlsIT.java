package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Redis behind TLS, which ends before it, since not every build of Redis has it. */
class RedisTlsIT {

  private static final Duration REFUSED_WITHIN = Duration.ofSeconds(6);

  @TempDir Path folder = Path.of("");

  private RedisServer server;
  private X509Bundle authority;

  RedisTlsIT() throws Exception {
    server = RedisServer.start();
    authority = authority("ours");
  }

  @BeforeEach
  void isEmpty() throws IOException {
    server.clear();
  }

  @AfterEach
  void stops() throws IOException {
    server.close();
  }

  private static X509Bundle authority(String name) throws Exception {
    return new CertificateBuilder()
        .ecp256()
        .subject("CN=" + name)
        .setIsCertificateAuthority(true)
        .buildSelfSigned();
  }

  /** Asks each client for a certificate of our authority. */
  private CuttingProxy listen(X509Bundle shown) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        shown.toKeyManagerFactory().getKeyManagers(),
        authority.toTrustManagerFactory().getTrustManagers(),
        null);
    var listener =
        (SSLServerSocket)
            context
                .getServerSocketFactory()
                .createServerSocket(0, 16, InetAddress.getLoopbackAddress());
    listener.setNeedClientAuth(true);
    return new CuttingProxy(server.port(), listener);
  }

  private X509Bundle certificate(String address) throws Exception {
    return new CertificateBuilder()
        .ecp256()
        .subject("CN=redis")
        .addSanIpAddress(address)
        .buildIssuedBy(authority);
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private RedisSettings settings(CuttingProxy at, X509Bundle trusted, boolean verifyHost)
      throws Exception {
    var host = ((RedisAddress.Single) at.address()).server();
    X509Bundle own =
        new CertificateBuilder().ecp256().subject("CN=edge-1").buildIssuedBy(authority);
    RedisSettings plain = RedisSettings.of(new RedisAddress.Single(host, true));
    return new RedisSettings(
        plain.address(),
        plain.username(),
        plain.password(),
        plain.sentinelPassword(),
        plain.database(),
        new RedisSettings.Tls(
            Optional.of(file("ca.pem", trusted.getCertificatePEM())),
            Optional.of(file("own.pem", own.getCertificatePathPEM())),
            Optional.of(file("own.key.pem", own.getPrivateKeyPEM())),
            verifyHost),
        plain.commandTimeout(),
        plain.connectTimeout(),
        plain.maxPending(),
        plain.breakerFailures(),
        plain.breakerPause(),
        plain.replication());
  }

  private static void isRefused(RedisSettings settings, String reason) {
    try (var loops = NettyLoops.start(1)) {
      assertThatThrownBy(
              () ->
                  RedisStore.start(
                      settings,
                      RealStore.secret("s3cret"),
                      loops.loops(),
                      Optional.of(loops.group()),
                      REFUSED_WITHIN))
          .isInstanceOf(RedisStartException.class)
          .hasMessageContaining(reason);
    }
  }

  @Test
  void commitsWhereEachShowsItsCertificate() throws Exception {
    try (var proxy = listen(certificate("127.0.0.1"));
        var real = new RealStore(settings(proxy, authority, true))) {
      assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      assertThat(RedisFailureIT.read(real))
          .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(1, new CommitId(1), "a")));
    }
  }

  @Test
  void isNotGivenToAServerOfAnotherAuthority() throws Exception {
    try (var proxy = listen(certificate("127.0.0.1"))) {
      isRefused(settings(proxy, authority("theirs"), true), "certification path");
    }
  }

  @Test
  void isNotGivenToAServerWithAnotherNameUnlessThatIsAllowed() throws Exception {
    try (var proxy = listen(certificate("127.0.0.2"))) {
      isRefused(settings(proxy, authority, true), "127.0.0.1");
      try (var real = new RealStore(settings(proxy, authority, false))) {
        assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a")))
            .isInstanceOf(CommitAnswer.Applied.class);
      }
    }
  }
}
