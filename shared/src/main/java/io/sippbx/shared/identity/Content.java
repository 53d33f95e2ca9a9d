package io.sippbx.shared.identity;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Octets that never change, and a name that is made of them. The name is made when it is asked for
 * first, and kept: what holds a message for the life of a call names it once, however often it is
 * written down. Of use from any thread.
 */
public final class Content {

  private final byte[] octets;
  private final ByteString string;

  // A race makes the same name twice.
  private @Nullable Long name;
  private @Nullable String text;

  private Content(byte[] octets) {
    this.octets = octets;
    this.string = UnsafeByteOperations.unsafeWrap(octets);
  }

  /** Takes {@code octets} over, which nobody may change from now on. */
  public static Content of(byte[] octets) {
    return new Content(octets);
  }

  /**
   * The same, of octets that were named before.
   *
   * @param name that {@link #name} gave for them
   */
  public static Content of(byte[] octets, long name) {
    var content = new Content(octets);
    content.name = name;
    return content;
  }

  /** The first 64 bits of their SHA-256. */
  public long name() {
    Long known = name;
    if (known == null) {
      known = ByteBuffer.wrap(Sha256.of(octets)).getLong();
      name = known;
    }
    return known;
  }

  /** {@link #name} as 16 hexadecimal digits. */
  public String nameText() {
    String known = text;
    if (known == null) {
      known = HexFormat.of().toHexDigits(name());
      text = known;
    }
    return known;
  }

  /** How many octets. */
  public int size() {
    return octets.length;
  }

  /** The octets themselves. */
  public ByteString octets() {
    return string;
  }
}
