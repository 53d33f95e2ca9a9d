package io.sippbx.event.webhook;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;

/** What became of one attempt. */
public sealed interface Outcome {

  /** The receiver has it. */
  record Delivered(int status) implements Outcome {}

  /**
   * It may be taken another time.
   *
   * @param status 0 without an answer
   * @param after before which the receiver does not want to be asked
   */
  record Again(int status, String problem, Optional<Duration> after) implements Outcome {}

  /**
   * It will not be taken.
   *
   * @param status 0 without an answer
   */
  record Refused(int status, String problem) implements Outcome {}

  /**
   * What an answer that is no redirect says.
   *
   * @param retryAfter the header, empty without
   * @see <a href="https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3">RFC 9110 10.2.3</a>
   */
  static Outcome of(int status, String retryAfter, Instant now) {
    if (status >= 200 && status < 300) {
      return new Delivered(status);
    }
    String problem = "status " + status;
    if (status >= 500 || status == 408 || status == 429) {
      return new Again(status, problem, after(retryAfter, now));
    }
    return new Refused(status, problem);
  }

  /** Seconds, or a date; empty if it is neither. */
  private static Optional<Duration> after(String header, Instant now) {
    String text = header.strip();
    if (!text.isEmpty() && text.length() <= 9 && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Instant date =
          ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME.withLocale(Locale.ROOT))
              .toInstant();
      Duration left = Duration.between(now, date);
      return Optional.of(left.isNegative() ? Duration.ZERO : left);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
