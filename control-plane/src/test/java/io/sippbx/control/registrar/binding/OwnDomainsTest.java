package io.sippbx.control.registrar.binding;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.sip.message.Uri;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("addresses-of-record (RFC 3261 10.3 step 5)")
class OwnDomainsTest {

  private final OwnDomains domains =
      new OwnDomains(List.of("PBX.example", "192.0.2.1", "[2001:DB8:0::1]"), "pbx.example");

  @ParameterizedTest
  @CsvSource({
    "sip:bob@pbx.example, sip:bob@pbx.example",
    "sips:bob@PBX.Example:5061;transport=tcp?x=1, sip:bob@pbx.example",
    "sip:bob:secret@pbx.example, sip:bob@pbx.example",
    "sip:b%6fb@192.0.2.1, sip:bob@pbx.example",
    "sip:bob@[2001:db8::1]:5080, sip:bob@pbx.example",
    "sip:Bob@pbx.example, sip:Bob@pbx.example",
    "sip:a%20b@pbx.example, sip:a%20b@pbx.example",
    "tel:+1-201-555.0123, sip:+12015550123@pbx.example",
  })
  void makesUrisCanonical(String uri, String aor) {
    assertThat(domains.aorOf(Uri.of(uri)).orElseThrow()).hasToString(aor);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sip:bob@other.example",
        "sip:pbx.example",
        "sip:bob@192.0.2.2",
        "mailto:bob@pbx.example"
      })
  void knowsWhatIsNotItsOwn(String uri) {
    assertThat(domains.aorOf(Uri.of(uri))).isEmpty();
  }

  @Test
  void ownsEveryDomainWithoutAList() {
    var any = new OwnDomains(List.of(), "pbx.example");
    assertThat(any.aorOf(Uri.of("sip:bob@whatever.example")))
        .isEqualTo(Optional.of(new Aor("bob", "pbx.example")));
    assertThat(any.own("203.0.113.5")).isTrue();
  }

  @Test
  void ownsItsCanonicalHostUnlisted() {
    assertThat(new OwnDomains(List.of("a.example"), "pbx.example").own("pbx.EXAMPLE")).isTrue();
  }

  @Test
  void refusesEmptyNames() {
    assertThatThrownBy(() -> new OwnDomains(List.of(""), "x"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new OwnDomains(List.of(), " "))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Aor("", "x")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void ordersByUserThenHost() {
    assertThat(new Aor("a", "z")).isLessThan(new Aor("b", "a"));
    assertThat(new Aor("a", "a")).isLessThan(new Aor("a", "z"));
    assertThat(new Aor("a", "A")).isEqualTo(new Aor("a", "a"));
  }
}
