package io.sippbx.control.store;

import com.google.protobuf.ByteOutput;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The array of a string of octets, for who reads it and changes nothing. */
public final class Octets {

  private Octets() {}

  /** The octets, not copied where they fill an array by themselves. Never to be written to. */
  public static byte[] shared(ByteString string) {
    var found = new Whole(string.size());
    try {
      UnsafeByteOperations.unsafeWriteTo(string, found);
    } catch (IOException e) {
      throw new IllegalStateException("Expected no I/O where there is none", e);
    }
    byte[] whole = found.array;
    return whole == null ? string.toByteArray() : whole;
  }

  /** Takes an array that it is given lazily, if that is the whole. */
  private static final class Whole extends ByteOutput {
    private final int size;
    private byte @Nullable [] array;

    Whole(int size) {
      this.size = size;
    }

    @Override
    public void writeLazy(byte[] value, int offset, int length) {
      if (offset == 0 && length == size && value.length == size) {
        array = value;
      }
    }

    @Override
    public void write(byte value) {}

    @Override
    public void write(byte[] value, int offset, int length) {}

    @Override
    public void write(ByteBuffer value) {}

    @Override
    public void writeLazy(ByteBuffer value) {}
  }
}
