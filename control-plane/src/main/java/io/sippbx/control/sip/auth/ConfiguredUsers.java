package io.sippbx.control.sip.auth;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The users of a configuration, which are those of one realm. Immutable. */
public final class ConfiguredUsers implements UserDirectory {

  private final String realm;
  private final Map<String, User> byName = new LinkedHashMap<>();
  private final List<DigestAlgorithm> algorithms;

  /**
   * @throws IllegalArgumentException if two users have one name
   */
  public ConfiguredUsers(String realm, List<User> users) {
    List<String> duplicates = User.duplicates(users);
    if (!duplicates.isEmpty()) {
      throw new IllegalArgumentException(
          "Expected each user once, but got several times " + String.join(", ", duplicates));
    }
    this.realm = realm;
    var common = EnumSet.allOf(DigestAlgorithm.class);
    var any = EnumSet.noneOf(DigestAlgorithm.class);
    for (User user : users) {
      byName.put(user.name(), user);
      for (DigestAlgorithm algorithm : DigestAlgorithm.values()) {
        if (user.knows(algorithm)) {
          any.add(algorithm);
        } else {
          common.remove(algorithm);
        }
      }
    }
    algorithms = List.copyOf(common.isEmpty() ? any : common);
  }

  @Override
  public Optional<User> find(String name, String ofRealm) {
    return ofRealm.equals(realm) ? Optional.ofNullable(byName.get(name)) : Optional.empty();
  }

  @Override
  public boolean isEmpty() {
    return byName.isEmpty();
  }

  @Override
  public List<DigestAlgorithm> algorithms() {
    return algorithms;
  }
}
