package io.sippbx.event.cdr;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The pattern of file names: {@code %Y}, {@code %m}, {@code %d} and {@code %H} stand for a time in
 * a zone, {@code %%} for a percent sign.
 */
final class CdrFileName {

  private static final Pattern PART = Pattern.compile("%[YmdH%]|[^%]+");

  private final List<String> parts = new ArrayList<>();
  private final Pattern form;
  private final ZoneId zone;

  /**
   * @param pattern as the configuration has checked it
   * @param zone in which days and hours begin
   * @throws IllegalArgumentException for a pattern without %Y, %m and %d, or with another %
   */
  CdrFileName(String pattern, ZoneId zone) {
    this.zone = zone;
    Matcher matcher = PART.matcher(pattern);
    int end = 0;
    var regex = new StringBuilder();
    while (matcher.find() && matcher.start() == end) {
      end = matcher.end();
      String part = matcher.group();
      parts.add(part);
      switch (part) {
        case "%Y" -> regex.append("(\\d{4})");
        case "%m", "%d", "%H" -> regex.append("(\\d{2})");
        case "%%" -> regex.append('%');
        default -> regex.append(Pattern.quote(part));
      }
    }
    if (end != pattern.length() || !parts.containsAll(List.of("%Y", "%m", "%d"))) {
      throw new IllegalArgumentException(
          "Expected %Y, %m and %d, and of others %H and %% only, but got " + pattern);
    }
    this.form = Pattern.compile(regex.toString());
  }

  /** The name of the file that holds this time. */
  String at(Instant time) {
    LocalDateTime local = LocalDateTime.ofInstant(time, zone);
    var name = new StringBuilder(40);
    for (String part : parts) {
      switch (part) {
        case "%Y" -> name.append(String.format(Locale.ROOT, "%04d", local.getYear()));
        case "%m" -> name.append(twoDigits(local.getMonthValue()));
        case "%d" -> name.append(twoDigits(local.getDayOfMonth()));
        case "%H" -> name.append(twoDigits(local.getHour()));
        case "%%" -> name.append('%');
        default -> name.append(part);
      }
    }
    return name.toString();
  }

  private static String twoDigits(int value) {
    return String.format(Locale.ROOT, "%02d", value);
  }

  /** The day of a file, if its name is of this pattern. */
  Optional<LocalDate> day(String name) {
    Matcher matcher = form.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int year = 0;
    int month = 0;
    int day = 0;
    int group = 0;
    for (String part : parts) {
      switch (part) {
        case "%Y" -> year = Integer.parseInt(matcher.group(++group));
        case "%m" -> month = Integer.parseInt(matcher.group(++group));
        case "%d" -> day = Integer.parseInt(matcher.group(++group));
        case "%H" -> group++;
        default -> {
          // Says nothing of the day.
        }
      }
    }
    try {
      return Optional.of(LocalDate.of(year, month, day));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
