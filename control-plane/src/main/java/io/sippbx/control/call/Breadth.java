package io.sippbx.control.call;

import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.SipRequest;
import java.util.Optional;

/**
 * How many branches of one request may be open at once, all forks downstream together.
 *
 * @param most 0 to {@value #DEFAULT}
 * @see <a href="https://www.rfc-editor.org/rfc/rfc5393#section-5.3">RFC 5393 5.3</a>
 */
public record Breadth(int most) {

  /** Where the request does not say, or asks for more. */
  public static final int DEFAULT = 60;

  private static final int DIGITS = 9;

  /** Refuses less than 0 and more than {@value #DEFAULT}. */
  public Breadth {
    if (most < 0 || most > DEFAULT) {
      throw new IllegalArgumentException("Expected 0 to " + DEFAULT + ", but got " + most);
    }
  }

  /** What the request allows; what is no number allows as much as nothing said. */
  public static Breadth of(SipRequest request) {
    Optional<String> value = request.header(HeaderName.MAX_BREADTH);
    boolean readable =
        value
            .filter(text -> !text.isEmpty() && text.length() <= DIGITS)
            .filter(text -> text.chars().allMatch(c -> c >= '0' && c <= '9'))
            .isPresent();
    return new Breadth(readable ? Math.min(Integer.parseInt(value.get()), DEFAULT) : DEFAULT);
  }

  /**
   * The share of one of several branches that are open at the same time.
   *
   * @param index of the branch, from 0
   * @param branches at least 1
   */
  Breadth share(int index, int branches) {
    return new Breadth(most / branches + (index < most % branches ? 1 : 0));
  }

  /** Whether nobody may be asked. */
  public boolean isUsedUp() {
    return most == 0;
  }

  /** As it stands in the header field. */
  @Override
  public String toString() {
    return Integer.toString(most);
  }
}
