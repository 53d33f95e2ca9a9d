package io.sippbx.control.store.redis;

import io.sippbx.control.store.Partition;
import io.sippbx.shared.config.Secret;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** What all nodes of a cluster must agree on, or they would not find each other's calls. */
record ClusterMeta(int partitions, String secretFingerprint) {

  /** This build's, with a fingerprint from which the secret cannot be learned. */
  static ClusterMeta of(Secret<byte[]> clusterSecret) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(clusterSecret.value(), "HmacSHA256"));
      byte[] digest = mac.doFinal(Bytes.of("cluster:meta"));
      return new ClusterMeta(Partition.COUNT, HexFormat.of().formatHex(digest, 0, 16));
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException("Expected HMAC-SHA256 in every JDK", e);
    }
  }

  byte[][] args() {
    return new byte[][] {Bytes.of(partitions), Bytes.of(secretFingerprint)};
  }

  /** Why a node must not start, if it must not. */
  Optional<String> refusal(Object stored) {
    List<?> said = Bytes.list(stored);
    long theirs = Bytes.number(Bytes.at(said, 0));
    if (theirs != partitions) {
      return Optional.of(
          "the cluster in this Redis has "
              + theirs
              + " partitions, and this build "
              + partitions
              + ": use another Redis or database, or the build that wrote it");
    }
    if (!Bytes.text(Bytes.at(said, 1)).equals(secretFingerprint)) {
      return Optional.of(
          "the cluster in this Redis has another cluster.secret than this node: set the same one"
              + " on all nodes, or use another Redis or database");
    }
    return Optional.empty();
  }
}
