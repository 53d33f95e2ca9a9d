package io.sippbx.shared.config;

import java.util.Collection;

/** Finds what was probably meant. */
final class Spelling {

  private static final int MAX_LENGTH = 128;

  private Spelling() {}

  /** The candidate with the fewest edits, the first of equals; empty when all are too far. */
  static String nearest(String word, Collection<String> candidates) {
    if (word.length() > MAX_LENGTH) {
      return "";
    }
    String best = "";
    int bestEdits = Math.max(2, word.length() / 5) + 1;
    for (String candidate : candidates) {
      int edits = edits(word, candidate);
      if (edits < bestEdits && edits < candidate.length()) {
        best = candidate;
        bestEdits = edits;
      }
    }
    return best;
  }

  /** Insertions, deletions, replacements and swaps of neighbours between two words. */
  private static int edits(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        int least =
            Math.min(
                Math.min(cost[i - 1][j], cost[i][j - 1]) + 1, cost[i - 1][j - 1] + (same ? 0 : 1));
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        cost[i][j] = swapped ? Math.min(least, cost[i - 2][j - 2] + 1) : least;
      }
    }
    return cost[a.length()][b.length()];
  }
}
