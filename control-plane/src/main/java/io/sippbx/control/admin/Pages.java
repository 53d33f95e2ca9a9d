package io.sippbx.control.admin;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Pages of lists: their sizes, and lists that are in memory as a whole. */
final class Pages {

  static final int DEFAULT_SIZE = 100;
  static final int MAX_SIZE = 1_000;

  private Pages() {}

  /** How many entries were asked for. */
  static int size(int pageSize) {
    if (pageSize < 0 || pageSize > MAX_SIZE) {
      throw AdminErrors.invalid(
          "page_size",
          Integer.toString(pageSize),
          "1 to " + MAX_SIZE + ", or 0 for " + DEFAULT_SIZE);
    }
    return pageSize == 0 ? DEFAULT_SIZE : pageSize;
  }

  /**
   * A page of a list that is at hand.
   *
   * @param next the token of the page after it; empty if there is none
   */
  record Page<T>(List<T> entries, String next) {
    /** Copies {@code entries}. */
    Page {
      entries = List.copyOf(entries);
    }
  }

  /**
   * A page of a whole list.
   *
   * @param all in the order of their names
   * @param token the name of the last entry of the page before; empty for the first page
   */
  static <T> Page<T> of(List<T> all, Function<T, String> name, int size, String token) {
    List<T> rest =
        all.stream()
            .filter(each -> token.isEmpty() || name.apply(each).compareTo(token) > 0)
            .toList();
    boolean more = rest.size() > size;
    List<T> page = more ? rest.subList(0, size) : rest;
    return new Page<>(page, more ? name.apply(page.getLast()) : "");
  }

  /** A token that names something: none, or what {@code parse} makes of it. */
  static <T> Optional<T> token(String token, Function<String, Optional<T>> parse) {
    if (token.isEmpty()) {
      return Optional.empty();
    }
    Optional<T> parsed = parse.apply(token);
    if (parsed.isEmpty()) {
      throw AdminErrors.invalid("page_token", token, "the next_page_token of the page before");
    }
    return parsed;
  }
}
