package io.sippbx.shared.tls;

import io.grpc.netty.GrpcSslContexts;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mutual TLS between the nodes of a cluster: each shows a certificate of the cluster's own
 * authority, and speaks only with who shows one.
 *
 * <p>Nodes find each other by addresses that change, so certificates are not compared with names:
 * whoever has one of this authority is a node. New connections use what the files hold then; files
 * that cannot be read leave what was read before. Safe for use by several threads.
 */
public final class NodeTls implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(NodeTls.class);

  private final Path ca;
  private final Path certificate;
  private final Path key;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("tls-files").factory());
  private final AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
  private final AdvancedTlsX509TrustManager trust;
  private final SslContext server;
  private final SslContext client;

  private NodeTls(Path ca, Path certificate, Path key)
      throws IOException, GeneralSecurityException {
    this.ca = ca;
    this.certificate = certificate;
    this.key = key;
    this.trust =
        AdvancedTlsX509TrustManager.newBuilder()
            .setVerification(Verification.CERTIFICATE_ONLY_VERIFICATION)
            .build();
    read();
    this.server =
        GrpcSslContexts.configure(
                SslContextBuilder.forServer(keys)
                    .trustManager(trust)
                    .clientAuth(ClientAuth.REQUIRE),
                SslProvider.JDK)
            .build();
    this.client =
        GrpcSslContexts.configure(
                SslContextBuilder.forClient().keyManager(keys).trustManager(trust), SslProvider.JDK)
            .build();
  }

  /**
   * Reads the files, now and again from time to time.
   *
   * @param ca the certificates (PEM) of the cluster's own authority
   * @param certificate this node's (PEM), with those between it and the authority
   * @param key its private key (PEM, PKCS#8)
   * @param every how often
   * @throws IOException if a file cannot be read or does not hold that
   */
  public static NodeTls open(Path ca, Path certificate, Path key, Duration every)
      throws IOException {
    try {
      var tls = new NodeTls(ca, certificate, key);
      ScheduledFuture<?> _ =
          tls.timer.scheduleWithFixedDelay(
              tls::readAgain, every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
      return tls;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(
          "not usable as certificates and key: " + ca + ", " + certificate + ", " + key + ": " + e,
          e);
    }
  }

  private void read() throws IOException, GeneralSecurityException {
    trust.updateTrustCredentials(ca.toFile());
    keys.updateIdentityCredentials(certificate.toFile(), key.toFile());
  }

  private void readAgain() {
    try {
      read();
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      log.atWarn()
          .addKeyValue("ca_file", ca)
          .addKeyValue("cert_file", certificate)
          .addKeyValue("key_file", key)
          .log("cluster.tls-files-not-usable: what was read before is used on: {}", e.toString());
    }
  }

  /** For who listens: a peer without a certificate of the authority gets no further. */
  public SslContext server() {
    return server;
  }

  /** For who connects. */
  public SslContext client() {
    return client;
  }

  /** When the certificate that is shown now ends. */
  public Instant expires() {
    X509Certificate[] chain = keys.getCertificateChain(keys.getServerAliases("RSA", null)[0]);
    return chain[0].getNotAfter().toInstant();
  }

  /** Looks at the files no more; what is connected stays so. */
  @Override
  public void close() {
    timer.shutdownNow();
  }
}
