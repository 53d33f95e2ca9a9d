package io.sippbx.control.call;

import io.sippbx.control.sip.message.Tag;
import io.sippbx.shared.identity.CallKey;
import java.util.Optional;

/**
 * A tag that we put into a dialog: it names the call, so that any node finds the call of an
 * in-dialog message without a look-up (law 1).
 *
 * @param side whose leg the dialog is in
 * @param ordinal for the caller's leg the dialog (each downstream early dialog has one of its own
 *     towards the caller), for a callee's leg the leg; from 0
 */
public record CallTag(CallKey call, Side side, int ordinal) {

  /** Refuses a negative ordinal. */
  public CallTag {
    if (ordinal < 0) {
      throw new IllegalArgumentException("Expected an ordinal of 0 or more, but got " + ordinal);
    }
  }

  /** The tag as it stands in a message. */
  public Tag tag() {
    return new Tag(call.text() + side.letter() + ordinal);
  }

  /** The parts of a tag, if it is one of ours. */
  public static Optional<CallTag> of(Tag tag) {
    String text = tag.value();
    int digits = CallKey.LENGTH + 1;
    if (text.length() <= digits || text.length() > digits + 4) {
      return Optional.empty();
    }
    Optional<Side> side = Side.ofLetter(text.charAt(CallKey.LENGTH));
    int ordinal = 0;
    for (int i = digits; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return Optional.empty();
      }
      ordinal = ordinal * 10 + (c - '0');
    }
    if (side.isEmpty() || text.length() > digits + 1 && text.charAt(digits) == '0') {
      return Optional.empty();
    }
    int number = ordinal;
    return CallKey.prefixOf(text).map(key -> new CallTag(key, side.get(), number));
  }
}
