package io.sippbx.control.sip.message;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Parameters in order, each a name and perhaps a value. Names are found in any case; when one comes
 * twice the first counts. Immutable. Equal when names (in any case), values and order are the same.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7.3.1">RFC 3261 7.3.1, 19.1.1</a>
 */
public final class Params {

  /** No parameters. */
  public static final Params EMPTY = new Params(List.of());

  /**
   * A parameter.
   *
   * @param value as it stands on the wire, quotes and escapes included; null for a name alone
   */
  public record Param(String name, @Nullable String value) {}

  private final List<Param> list;

  private Params(List<Param> list) {
    this.list = list;
  }

  static Params ofOwned(List<Param> list) {
    return list.isEmpty() ? EMPTY : new Params(list);
  }

  /** All of them. */
  public List<Param> list() {
    return List.copyOf(list);
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return list.isEmpty();
  }

  /** Whether there is a parameter of that name, with or without a value. */
  public boolean has(String name) {
    return find(name) != null;
  }

  /** The value, quotes undone; empty when there is no such parameter or it has no value. */
  public Optional<String> get(String name) {
    return raw(name).map(v -> v.length() > 1 && v.charAt(0) == '"' ? Text.unquoted(v) : v);
  }

  /** The value as it stands on the wire. */
  public Optional<String> raw(String name) {
    Param param = find(name);
    return param == null ? Optional.empty() : Optional.ofNullable(param.value());
  }

  /** With the parameter set, in its old place or at the end. The value is written as given. */
  public Params with(String name, String value) {
    return replaced(new Param(name, value));
  }

  /** With the parameter set to a quoted string of {@code text}. */
  public Params withQuoted(String name, String text) {
    var quoted = new StringBuilder();
    Text.appendQuoted(quoted, text);
    return replaced(new Param(name, quoted.toString()));
  }

  /** With the parameter as a name alone. */
  public Params withFlag(String name) {
    return replaced(new Param(name, null));
  }

  /** Without any parameter of that name. */
  public Params without(String name) {
    if (find(name) == null) {
      return this;
    }
    var rest = new ArrayList<Param>(list);
    rest.removeIf(param -> param.name().equalsIgnoreCase(name));
    return ofOwned(rest);
  }

  private Params replaced(Param param) {
    if (!Chars.all(param.name(), Chars.TOKEN | Chars.URI_PARAM)) {
      throw new IllegalArgumentException("Expected a parameter name, but got " + param.name());
    }
    String value = param.value();
    if (value != null && !Chars.all(value, Chars.VALUE) && !Text.isQuoted(value)) {
      throw new IllegalArgumentException(
          "Expected a token or a quoted string as value of " + param.name() + ", but got " + value);
    }
    var next = new ArrayList<Param>(list.size() + 1);
    boolean done = false;
    for (Param old : list) {
      if (!old.name().equalsIgnoreCase(param.name())) {
        next.add(old);
      } else if (!done) {
        next.add(param);
        done = true;
      }
    }
    if (!done) {
      next.add(param);
    }
    return new Params(next);
  }

  @Nullable Param find(String name) {
    for (int i = 0; i < list.size(); i++) {
      if (list.get(i).name().equalsIgnoreCase(name)) {
        return list.get(i);
      }
    }
    return null;
  }

  /** Writes each with {@code separator} before it, the first with {@code lead}. */
  void append(StringBuilder out, char lead, char separator) {
    char before = lead;
    for (Param param : list) {
      out.append(before).append(param.name());
      if (param.value() != null) {
        out.append('=').append(param.value());
      }
      before = separator;
    }
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Params that) || list.size() != that.list.size()) {
      return false;
    }
    for (int i = 0; i < list.size(); i++) {
      Param a = list.get(i);
      Param b = that.list.get(i);
      if (!a.name().equalsIgnoreCase(b.name()) || !Objects.equals(a.value(), b.value())) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (Param param : list) {
      hash = hash * 31 + Objects.hashCode(param.value());
    }
    return hash;
  }

  /** As written after a semicolon each. */
  @Override
  public String toString() {
    var out = new StringBuilder();
    append(out, ';', ';');
    return out.toString();
  }
}
