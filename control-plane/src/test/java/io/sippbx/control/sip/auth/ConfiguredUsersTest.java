package io.sippbx.control.sip.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumMap;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfiguredUsersTest {

  private static User hashed(String name, DigestAlgorithm algorithm) {
    var ha1 = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
    ha1.put(algorithm, Digest.ha1(algorithm, name, "r", "secret"));
    return User.withHa1(name, ha1);
  }

  @Test
  void findsUsersOfItsRealmOnly() {
    var users = new ConfiguredUsers("r", List.of(User.withPassword("bob", "x")));
    assertThat(users.find("bob", "r").map(User::name)).contains("bob");
    assertThat(users.find("Bob", "r")).isEmpty();
    assertThat(users.find("bob", "s")).isEmpty();
    assertThat(users.isEmpty()).isFalse();
    assertThat(new ConfiguredUsers("r", List.of()).isEmpty()).isTrue();
  }

  @Test
  void offersWhatAllUsersKnowElseWhatAnyKnows() {
    User all = User.withPassword("a", "x");
    User md5 = hashed("b", DigestAlgorithm.MD5);
    User sha = hashed("c", DigestAlgorithm.SHA_256);
    assertThat(new ConfiguredUsers("r", List.of(all)).algorithms())
        .containsExactly(DigestAlgorithm.values());
    assertThat(new ConfiguredUsers("r", List.of(all, md5)).algorithms())
        .containsExactly(DigestAlgorithm.MD5);
    assertThat(new ConfiguredUsers("r", List.of(md5, sha)).algorithms())
        .containsExactly(DigestAlgorithm.SHA_256, DigestAlgorithm.MD5);
  }

  @Test
  void refusesTheSameUserTwice() {
    assertThatThrownBy(
            () ->
                new ConfiguredUsers(
                    "r", List.of(User.withPassword("bob", "x"), User.withPassword("bob", "y"))))
        .hasMessageContaining("bob");
  }

  @Test
  void refusesAHashThatIsNone() {
    var ha1 = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
    assertThatThrownBy(() -> User.withHa1("bob", ha1)).hasMessageContaining("none");
    ha1.put(DigestAlgorithm.SHA_256, "0123");
    assertThatThrownBy(() -> User.withHa1("bob", ha1))
        .hasMessageContaining("64 hexadecimal digits")
        .hasMessageNotContaining("0123");
    ha1.put(DigestAlgorithm.SHA_256, "z".repeat(64));
    assertThatThrownBy(() -> User.withHa1("bob", ha1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void letsAUserSpeakForItsIdentities() {
    User bob = User.withPassword("bob", "x");
    assertThat(bob.mayUse("bob")).isTrue();
    assertThat(bob.mayUse("1001")).isFalse();
    assertThat(bob.withIdentities(List.of("1001")).mayUse("1001")).isTrue();
    assertThat(bob.withIdentities(List.of("1001")).mayUse("bob")).isFalse();
    assertThat(bob.withIdentities(List.of("*")).mayUse("anybody")).isTrue();
  }
}
