package io.sippbx.control.mesh;

import com.google.protobuf.ByteString;
import io.sippbx.proto.mesh.v1.Hello;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * How a node shows that it knows the cluster's secret: an HMAC over both greetings. Each has a
 * fresh nonce in it, so a proof is of use for one stream; and who proves is in it, so it cannot be
 * given back.
 */
final class MeshProof {

  static final int NONCE_BYTES = 32;

  private static final String ALGORITHM = "HmacSHA256";
  private static final byte[] LABEL = "sip-pbx mesh 1".getBytes(StandardCharsets.US_ASCII);

  private final SecretKeySpec key;

  /** Which end of the stream proves. */
  enum End {
    DIALER("dialer"),
    ACCEPTOR("acceptor");

    private final ByteString name;

    End(String name) {
      this.name = ByteString.copyFrom(name, StandardCharsets.US_ASCII);
    }
  }

  MeshProof(byte[] clusterSecret) {
    this.key = new SecretKeySpec(clusterSecret, ALGORITHM);
  }

  ByteString of(End end, Hello dialer, Hello acceptor) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      for (byte[] part :
          new byte[][] {
            LABEL, end.name.toByteArray(), dialer.toByteArray(), acceptor.toByteArray()
          }) {
        mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(part.length).flip());
        mac.update(part);
      }
      return ByteString.copyFrom(mac.doFinal());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Expected " + ALGORITHM + " in every JDK", e);
    }
  }

  boolean holds(ByteString proof, End end, Hello dialer, Hello acceptor) {
    // In constant time.
    return MessageDigest.isEqual(proof.toByteArray(), of(end, dialer, acceptor).toByteArray());
  }
}
