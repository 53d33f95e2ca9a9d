package io.sippbx.control.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** The ARGV of a script, in order. */
final class ScriptArgs {

  private static final byte[] YES = Bytes.of("1");
  private static final byte[] NO = Bytes.of("0");
  private static final byte[] NOTHING = new byte[0];

  /** What a commit of a call has, and some more. */
  private static final int MOST = 48;

  private final List<byte[]> all = new ArrayList<>(MOST);

  void add(byte[] octets) {
    all.add(octets);
  }

  void add(String text) {
    all.add(text.isEmpty() ? NOTHING : Bytes.of(text));
  }

  void add(long number) {
    all.add(octets(number));
  }

  /** 1 or 0. */
  void add(boolean yes) {
    all.add(yes ? YES : NO);
  }

  /** The number; nothing if there is none. */
  void add(OptionalLong number) {
    all.add(number.isPresent() ? octets(number.getAsLong()) : NOTHING);
  }

  /** Begins a list, before which its length stands: its place, for {@link #set}. */
  int begin() {
    all.add(NO);
    return all.size() - 1;
  }

  /** The length of a list that has been added. */
  void set(int place, int length) {
    all.set(place, octets(length));
  }

  private static byte[] octets(long number) {
    return number == 0 ? NO : number == 1 ? YES : Bytes.of(number);
  }

  byte[][] toArray() {
    return all.toArray(new byte[0][]);
  }
}
