package io.sippbx.shared.identity;

/**
 * The name of a node of any plane, unique in its cluster and the same after a restart.
 *
 * @param text 1 to 63 letters, digits, hyphens and dots, so that a host or pod name will do
 */
public record NodeId(String text) implements Comparable<NodeId> {

  private static final int MAX_LENGTH = 63;

  /** Refuses what is no node name. */
  public NodeId {
    if (!isName(text)) {
      throw new IllegalArgumentException(
          "Expected 1 to 63 letters, digits, hyphens and dots, but got " + text);
    }
  }

  /** By hand: each commit and each branch of a call names nodes. */
  private static boolean isName(String text) {
    if (text.isEmpty() || text.length() > MAX_LENGTH) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      if (!plain && (i == 0 || c != '-' && c != '.')) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int compareTo(NodeId other) {
    return text.compareTo(other.text);
  }

  @Override
  public String toString() {
    return text;
  }
}
