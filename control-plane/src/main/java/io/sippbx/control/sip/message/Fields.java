package io.sippbx.control.sip.message;

import java.util.Arrays;

/**
 * The index of the header fields of a message: for each, in order, the id of its name and where
 * name and value lie. The value is without the white space around it, folds included.
 */
final class Fields {

  private static final int STRIDE = 4;
  private static final int FIRST_CAPACITY = 16;

  private int[] table;
  private int count;

  Fields() {
    table = new int[FIRST_CAPACITY * STRIDE];
  }

  /** A copy with room for some fields more. */
  Fields(Fields other, int room) {
    table = Arrays.copyOf(other.table, (other.count + room) * STRIDE);
    count = other.count;
  }

  int count() {
    return count;
  }

  int id(int field) {
    return table[field * STRIDE];
  }

  int nameStart(int field) {
    return table[field * STRIDE + 1];
  }

  int valueStart(int field) {
    return table[field * STRIDE + 2];
  }

  int valueEnd(int field) {
    return table[field * STRIDE + 3];
  }

  void add(int id, int nameStart, int valueStart, int valueEnd) {
    insert(count, id, nameStart, valueStart, valueEnd);
  }

  void insert(int field, int id, int nameStart, int valueStart, int valueEnd) {
    int at = field * STRIDE;
    if (count * STRIDE == table.length) {
      table = Arrays.copyOf(table, table.length * 2 + STRIDE);
    }
    System.arraycopy(table, at, table, at + STRIDE, (count - field) * STRIDE);
    count++;
    set(field, id, nameStart, valueStart, valueEnd);
  }

  void set(int field, int id, int nameStart, int valueStart, int valueEnd) {
    int at = field * STRIDE;
    table[at] = id;
    table[at + 1] = nameStart;
    table[at + 2] = valueStart;
    table[at + 3] = valueEnd;
  }

  void remove(int field) {
    int next = (field + 1) * STRIDE;
    System.arraycopy(table, next, table, field * STRIDE, count * STRIDE - next);
    count--;
  }

  /** Takes {@code offset} off every position. */
  void rebase(int offset) {
    if (offset == 0) {
      return;
    }
    for (int at = 0; at < count * STRIDE; at += STRIDE) {
      table[at + 1] -= offset;
      table[at + 2] -= offset;
      table[at + 3] -= offset;
    }
  }

  /** The first field of an id at or after {@code from}; -1 for none. */
  int next(int id, int from) {
    for (int field = from; field < count; field++) {
      if (table[field * STRIDE] == id) {
        return field;
      }
    }
    return -1;
  }

  /** The first field of a name at or after {@code from}; -1 for none. */
  int next(HeaderName name, byte[] b, int from) {
    int field = next(name.id(), from);
    while (field >= 0 && !name.isKnown()) {
      int start = nameStart(field);
      if (name.matches(b, start, nameEnd(b, field))) {
        return field;
      }
      field = next(name.id(), field + 1);
    }
    return field;
  }

  int nameEnd(byte[] b, int field) {
    return Chars.skip(b, nameStart(field), valueStart(field), Chars.TOKEN);
  }
}
