package io.sippbx.shared.identity;

import java.util.regex.Pattern;

/**
 * The name of a node of any plane, unique in its cluster and the same after a restart.
 *
 * @param text 1 to 63 letters, digits, hyphens and dots, so that a host or pod name will do
 */
public record NodeId(String text) implements Comparable<NodeId> {

  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.-]{0,62}");

  /** Refuses what is no node name. */
  public NodeId {
    if (!FORM.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "Expected 1 to 63 letters, digits, hyphens and dots, but got " + text);
    }
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
