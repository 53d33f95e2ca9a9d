package io.sippbx.control.store.state;

import java.util.EnumMap;
import java.util.Map;

/**
 * The constants of a domain's enum and those of its stored form, matched by name: {@code CALLING}
 * is {@code OUTGOING_INVITE_STATE_CALLING}.
 *
 * @param <D> the domain's
 * @param <S> the stored form's
 */
final class EnumTable<D extends Enum<D>, S extends Enum<S>> {

  private final Map<D, S> stored;
  private final Map<S, D> domain;

  /**
   * @throws IllegalArgumentException if a constant of the domain has no stored form
   */
  EnumTable(Class<D> domainType, Class<S> storedType, String prefix) {
    stored = new EnumMap<>(domainType);
    domain = new EnumMap<>(storedType);
    for (D each : domainType.getEnumConstants()) {
      S form = Enum.valueOf(storedType, prefix + each.name());
      stored.put(each, form);
      domain.put(form, each);
    }
  }

  S stored(D value) {
    S form = stored.get(value);
    if (form == null) {
      throw new IllegalStateException("Expected a stored form of " + value);
    }
    return form;
  }

  D domain(S form) {
    D value = domain.get(form);
    if (value == null) {
      throw new UnreadableException("Expected a value that is known, but got " + form);
    }
    return value;
  }
}
