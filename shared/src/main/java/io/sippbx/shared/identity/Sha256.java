package io.sippbx.shared.identity;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 without the search for who provides it, which takes longer than to digest a message. Of
 * use from any thread.
 */
public final class Sha256 {

  /** Is never given anything itself. */
  private static final MessageDigest FRESH = provided();

  private Sha256() {}

  /** The 32 octets of the digest. */
  public static byte[] of(byte[] octets) {
    return digest().digest(octets);
  }

  /** For what is digested part by part: of the caller, for one digest. */
  public static MessageDigest digest() {
    try {
      return (MessageDigest) FRESH.clone();
    } catch (CloneNotSupportedException e) {
      // A provider whose digests cannot be copied.
      return provided();
    }
  }

  private static MessageDigest provided() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Expected SHA-256, which every Java has", e);
    }
  }
}
