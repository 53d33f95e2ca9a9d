package io.sippbx.servers;

import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** An authority of a cluster's own, and the certificates that it gives out, as files. */
public final class ClusterCertificates {

  private final Path folder;
  private final String name;
  private final X509Bundle authority;

  /** What one node is given: PEM files. */
  public record Given(Path ca, Path certificate, Path key) {}

  /** A new authority. */
  public ClusterCertificates(Path folder, String name) {
    this.folder = folder;
    this.name = name;
    this.authority =
        made(
            () ->
                new CertificateBuilder()
                    .ecp256()
                    .subject("CN=" + name)
                    .setIsCertificateAuthority(true)
                    .buildSelfSigned());
  }

  /** A new certificate; given once more, it takes the place of the node's one before. */
  public Given give(String node) {
    X509Bundle bundle =
        made(
            () -> new CertificateBuilder().ecp256().subject("CN=" + node).buildIssuedBy(authority));
    return new Given(
        write(name + ".ca.pem", authority.getCertificatePEM()),
        write(node + "." + name + ".pem", bundle.getCertificatePathPEM()),
        write(node + "." + name + ".key.pem", bundle.getPrivateKeyPEM()));
  }

  private Path write(String file, String text) {
    try {
      Path next = Files.writeString(folder.resolve(file + ".next"), text);
      return Files.move(next, folder.resolve(file), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private interface Builds {
    X509Bundle build() throws Exception;
  }

  private static X509Bundle made(Builds builds) {
    try {
      return builds.build();
    } catch (Exception e) { // what the builder declares
      throw new IllegalStateException("cannot make a certificate", e);
    }
  }
}
