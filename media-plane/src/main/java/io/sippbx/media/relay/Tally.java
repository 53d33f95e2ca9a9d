package io.sippbx.media.relay;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Numbers that one thread writes and any thread reads: no lock, no atomic instruction, and no torn
 * or lost value.
 */
final class Tally {

  private static final VarHandle SLOTS = MethodHandles.arrayElementVarHandle(long[].class);

  private final long[] slots;

  Tally(int size) {
    slots = new long[size];
  }

  /** Adds to a number. For the writing thread only. */
  void add(int slot, long amount) {
    SLOTS.setOpaque(slots, slot, (long) SLOTS.getOpaque(slots, slot) + amount);
  }

  /** Sets a number. For the writing thread only. */
  void set(int slot, long value) {
    SLOTS.setOpaque(slots, slot, value);
  }

  /** Reads a number, from any thread. */
  long get(int slot) {
    return (long) SLOTS.getOpaque(slots, slot);
  }
}
