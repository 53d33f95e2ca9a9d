package io.sippbx.shared.sdp;

/** Splitting and numbers, without regular expressions. */
final class Fields {

  private Fields() {}

  /** The fields of {@code text}, parted by one or more spaces or tabs; none are empty. */
  static String[] split(String text) {
    var fields = new String[count(text)];
    int count = 0;
    int start = -1;
    for (int i = 0; i <= text.length(); i++) {
      boolean gap = i == text.length() || text.charAt(i) == ' ' || text.charAt(i) == '\t';
      if (gap && start >= 0) {
        fields[count++] = text.substring(start, i);
        start = -1;
      } else if (!gap && start < 0) {
        start = i;
      }
    }
    return fields;
  }

  private static int count(String text) {
    int count = 0;
    boolean within = false;
    for (int i = 0; i < text.length(); i++) {
      boolean gap = text.charAt(i) == ' ' || text.charAt(i) == '\t';
      count += !gap && !within ? 1 : 0;
      within = !gap;
    }
    return count;
  }

  /** The number that {@code text} is, or -1 if it is none or above {@code max}. */
  static int number(String text, int max) {
    if (text.isEmpty() || text.length() > 9) {
      return -1;
    }
    int value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return -1;
      }
      value = value * 10 + (c - '0');
    }
    return value > max ? -1 : value;
  }
}
