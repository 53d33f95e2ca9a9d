package io.sippbx.shared.sdp;

import java.util.ArrayList;

/** Splitting and numbers, without regular expressions. */
final class Fields {

  private Fields() {}

  /** The fields of {@code text}, parted by one or more spaces or tabs; none are empty. */
  static String[] split(String text) {
    var fields = new ArrayList<String>(8);
    int start = -1;
    for (int i = 0; i <= text.length(); i++) {
      boolean gap = i == text.length() || text.charAt(i) == ' ' || text.charAt(i) == '\t';
      if (gap && start >= 0) {
        fields.add(text.substring(start, i));
        start = -1;
      } else if (!gap && start < 0) {
        start = i;
      }
    }
    return fields.toArray(String[]::new);
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
