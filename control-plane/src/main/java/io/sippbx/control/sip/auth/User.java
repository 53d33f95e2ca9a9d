package io.sippbx.control.sip.auth;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who may use the server: a name, a secret, and the identities that it may speak for. Immutable;
 * {@link #toString} shows no secret.
 */
public final class User {

  /** An identity that stands for every one. */
  public static final String ANY_IDENTITY = "*";

  private static final Pattern HEX = Pattern.compile("[0-9a-fA-F]+");

  private final String name;
  private final @Nullable String password;
  private final Map<DigestAlgorithm, String> ha1;
  private final List<String> identities;

  private User(
      String name,
      @Nullable String password,
      Map<DigestAlgorithm, String> ha1,
      List<String> identities) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("Expected a user name, but got an empty one");
    }
    this.name = name;
    this.password = password;
    this.ha1 = ha1;
    this.identities = List.copyOf(identities);
  }

  /** A user with a password, which may be used with every algorithm and realm. */
  public static User withPassword(String name, String password) {
    return new User(name, password, new EnumMap<>(DigestAlgorithm.class), List.of(name));
  }

  /**
   * A user of whom only hashes are known.
   *
   * @param ha1 for each algorithm {@code H(name:realm:password)} in hexadecimal digits; good for
   *     the realm that was hashed only; at least one
   */
  public static User withHa1(String name, Map<DigestAlgorithm, String> ha1) {
    var copy = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
    copy.putAll(ha1);
    if (copy.isEmpty()) {
      throw new IllegalArgumentException("Expected an HA1 for user " + name + ", but got none");
    }
    copy.forEach(
        (algorithm, hash) -> {
          if (hash.length() != algorithm.hexLength() || !HEX.matcher(hash).matches()) {
            throw new IllegalArgumentException(
                "Expected "
                    + algorithm.hexLength()
                    + " hexadecimal digits as "
                    + algorithm.token()
                    + " HA1 of user "
                    + name
                    + ", but got "
                    + hash.length()
                    + " characters");
          }
        });
    return new User(name, null, copy, List.of(name));
  }

  /**
   * The same user with leave to speak for these users, itself not among them unless named.
   *
   * @param users user parts of addresses, escapes undone, or {@link #ANY_IDENTITY}
   */
  public User withIdentities(List<String> users) {
    return new User(name, password, ha1, users);
  }

  /** The name in the credentials. */
  public String name() {
    return name;
  }

  /** Whether this user may register for, and call as, {@code user} (escapes undone). */
  public boolean mayUse(String user) {
    return identities.contains(user) || identities.contains(ANY_IDENTITY);
  }

  /** Whether credentials of this algorithm can be checked. */
  public boolean knows(DigestAlgorithm algorithm) {
    return password != null || ha1.containsKey(algorithm);
  }

  /**
   * H(A1), if it is known for this algorithm.
   *
   * @param sentName the user name as the client wrote it, which is what the client has hashed
   */
  Optional<String> ha1(DigestAlgorithm algorithm, String sentName, String realm) {
    return password == null
        ? Optional.ofNullable(ha1.get(algorithm))
        : Optional.of(Digest.ha1(algorithm, sentName, realm, password));
  }

  @Override
  public String toString() {
    return "User[" + name + "]";
  }

  /** Names that occur more than once in the list, each once. */
  static List<String> duplicates(List<User> users) {
    var seen = new TreeSet<String>();
    return users.stream().map(User::name).filter(name -> !seen.add(name)).distinct().toList();
  }
}
