package io.sippbx.control.store;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.shared.identity.CallKey;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * One of the {@value #COUNT} parts that all state is in. What belongs to one call or to one
 * address-of-record is in one partition, so that it is committed in one step wherever it lies.
 *
 * @param number 0 to 63
 */
public record Partition(int number) implements Comparable<Partition> {

  /** How many there are. A cluster keeps the count for ever ({@code cluster:meta}). */
  public static final int COUNT = 64;

  /** Refuses a number out of range. */
  public Partition {
    if (number < 0 || number >= COUNT) {
      throw new IllegalArgumentException(
          "Expected a partition of 0 to " + (COUNT - 1) + ", but got " + number);
    }
  }

  /** The partition of a call: the first six bits of its key, which is as good as random. */
  public static Partition of(CallKey call) {
    return new Partition(bits(call.text().charAt(0)) << 1 | bits(call.text().charAt(1)) >> 4);
  }

  /** The partition of an address-of-record: six bits of a checksum of its canonical form. */
  public static Partition of(Aor aor) {
    var sum = new CRC32C();
    sum.update(aor.toString().getBytes(StandardCharsets.UTF_8));
    return new Partition((int) (sum.getValue() & COUNT - 1));
  }

  private static int bits(char base32) {
    return base32 >= 'a' ? base32 - 'a' : base32 - '2' + 26;
  }

  /** What stands before each of its keys in Redis: {@code {p07}}, a hash tag. */
  public String tag() {
    return (number < 10 ? "{p0" : "{p") + number + "}";
  }

  @Override
  public int compareTo(Partition other) {
    return Integer.compare(number, other.number);
  }

  @Override
  public String toString() {
    return (number < 10 ? "p0" : "p") + number;
  }
}
