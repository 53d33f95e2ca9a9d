package io.sippbx.control.media;

import java.util.List;

/**
 * Port pairs that a session needs of a node, by IP version.
 *
 * @param v4 from 0
 * @param v6 from 0
 */
public record MediaNeed(int v4, int v6) {

  /** Refuses less than nothing. */
  public MediaNeed {
    if (v4 < 0 || v6 < 0) {
      throw new IllegalArgumentException("Expected pairs from 0, but got " + v4 + " and " + v6);
    }
  }

  /** What one end of one stream needs. */
  public static MediaNeed ofEnd(boolean v6) {
    return v6 ? new MediaNeed(0, 1) : new MediaNeed(1, 0);
  }

  /** What these streams need at both their ends. */
  public static MediaNeed of(List<StreamSpec> streams) {
    var need = new MediaNeed(0, 0);
    for (StreamSpec stream : streams) {
      need = need.plus(ofEnd(stream.a().v6())).plus(ofEnd(stream.b().v6()));
    }
    return need;
  }

  /** Both together. */
  public MediaNeed plus(MediaNeed other) {
    return new MediaNeed(v4 + other.v4, v6 + other.v6);
  }
}
