package io.sippbx.control.store.redis;

import java.util.ArrayList;
import java.util.List;

/** The ARGV of a script, in order. */
final class ScriptArgs {
  private final List<byte[]> all = new ArrayList<>();

  void add(byte[] octets) {
    all.add(octets);
  }

  void add(String text) {
    all.add(Bytes.of(text));
  }

  void add(long number) {
    all.add(Bytes.of(number));
  }

  byte[][] toArray() {
    return all.toArray(new byte[0][]);
  }
}
