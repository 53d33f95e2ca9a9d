package io.sippbx.control.call;

import java.util.Optional;

/** The two sides of a call. */
public enum Side {
  /** Who sent us the INVITE. */
  CALLER('a'),
  /** Who was sent an INVITE by us. */
  CALLEE('b');

  private final char letter;

  Side(char letter) {
    this.letter = letter;
  }

  /** As it stands in tags and in the media contract. */
  public char letter() {
    return letter;
  }

  /** The other side. */
  public Side other() {
    return this == CALLER ? CALLEE : CALLER;
  }

  static Optional<Side> ofLetter(char letter) {
    return switch (letter) {
      case 'a' -> Optional.of(CALLER);
      case 'b' -> Optional.of(CALLEE);
      default -> Optional.empty();
    };
  }
}
