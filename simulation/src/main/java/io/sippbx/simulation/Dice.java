package io.sippbx.simulation;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Chance, by a seed and by who draws: that one part of the world draws once more or less changes
 * nothing for the others, so a scenario with a fault less stays much the same.
 */
final class Dice {

  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private final long seed;

  Dice(long seed) {
    this.seed = seed;
  }

  /** The draws of this part of the world. */
  RandomGenerator of(String who) {
    long mixed = (seed + 1) * GOLDEN ^ who.hashCode() * 0xc2b2ae3d27d4eb4fL;
    return new SplittableRandom(mixed ^ mixed >>> 31);
  }

  /** A hash that is spread over all bits. */
  static int spread(long value) {
    long mixed = value * GOLDEN;
    return (int) ((mixed ^ mixed >>> 29) * 0xbf58476d1ce4e5b9L >>> 33);
  }
}
