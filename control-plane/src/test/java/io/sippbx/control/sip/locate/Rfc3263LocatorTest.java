package io.sippbx.control.sip.locate;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.locate.Dns.Answer;
import io.sippbx.control.sip.locate.Dns.Data;
import io.sippbx.control.sip.locate.Dns.Kind;
import io.sippbx.control.sip.locate.Dns.Question;
import io.sippbx.control.sip.locate.Location.Reason;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("where a URI is served (RFC 3263 4)")
class Rfc3263LocatorTest {

  private static final Duration TTL = Duration.ofSeconds(60);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final Loop own = time.loop("locator");
  private final Loop home = time.loop("caller");
  private final FakeDns dns = new FakeDns(own);
  private LocateSettings settings =
      LocateSettings.of(
          List.of(TransportProtocol.UDP, TransportProtocol.TCP),
          List.of(AddressFamily.V4, AddressFamily.V6));

  /** Answers from a table; what is not in it does not exist. */
  private static final class FakeDns implements Dns {
    private final Loop loop;
    private final Map<Question, Answer> table = new LinkedHashMap<>();
    private final List<Question> asked = new ArrayList<>();
    private final List<Question> silent = new ArrayList<>();

    FakeDns(Loop loop) {
      this.loop = loop;
    }

    @Override
    public void ask(Question question, Consumer<Answer> answer) {
      asked.add(question);
      if (!silent.contains(question)) {
        loop.execute(() -> answer.accept(table.getOrDefault(question, new Answer.None())));
      }
    }

    void has(Kind kind, String name, Data... data) {
      table.put(new Question(kind, name), new Answer.Records(List.of(data), TTL));
    }

    void address(String name, String ip) {
      has(ip.contains(":") ? Kind.AAAA : Kind.A, name, new Data.Address(IpAddress.of(ip)));
    }

    void fails(Kind kind, String name, boolean timeout) {
      table.put(new Question(kind, name), new Answer.Failed(timeout, "broken"));
    }

    void isSilent(Kind kind, String name) {
      silent.add(new Question(kind, name));
    }
  }

  private Rfc3263Locator locator() {
    return new Rfc3263Locator(own, dns, settings, bound -> bound - 1);
  }

  private Location locate(Rfc3263Locator locator, String uri) {
    var answers = new ArrayList<Location>();
    locator.locate(
        Uri.of(uri),
        home,
        location -> {
          assertThat(home.inLoop()).isTrue();
          answers.add(location);
        });
    assertThat(answers).as("never inline").isEmpty();
    time.runAll();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private List<String> found(String uri) {
    return texts(locate(locator(), uri));
  }

  private static List<String> texts(Location location) {
    assertThat(location).isInstanceOf(Location.Found.class);
    var texts = new ArrayList<String>();
    for (Destination each : ((Location.Found) location).destinations()) {
      texts.add(each.protocol() + " " + each.remote());
    }
    return texts;
  }

  private Reason notFound(String uri) {
    Location location = locate(locator(), uri);
    assertThat(location).isInstanceOf(Location.NotFound.class);
    return ((Location.NotFound) location).reason();
  }

  @ParameterizedTest
  @CsvSource({
    "sip:1008@192.0.2.1, UDP 192.0.2.1:5060",
    "sip:192.0.2.1:5070, UDP 192.0.2.1:5070",
    "sip:192.0.2.1;transport=tcp, TCP 192.0.2.1:5060",
    "sip:192.0.2.1:5070;transport=TCP, TCP 192.0.2.1:5070",
    "sip:[2001:db8::1]:5070, UDP [2001:db8::1]:5070",
    "sip:pbx.example:5070;maddr=192.0.2.9, UDP 192.0.2.9:5070",
    "sip:pbx.example;maddr=[2001:db8::9];transport=tcp, TCP [2001:db8::9]:5060",
  })
  void takesAddressesAsTheyAre(String uri, String expected) {
    assertThat(found(uri)).containsExactly(expected);
    assertThat(dns.asked).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "sips:pbx.example, TRANSPORT_NOT_SUPPORTED",
    "sips:192.0.2.1, TRANSPORT_NOT_SUPPORTED",
    "sip:192.0.2.1;transport=tls, TRANSPORT_NOT_SUPPORTED",
    "sip:192.0.2.1;transport=ws, TRANSPORT_NOT_SUPPORTED",
    "sip:192.0.2.1;transport=sctp, TRANSPORT_NOT_SUPPORTED",
    "tel:+15551234, SCHEME_NOT_SUPPORTED",
    "mailto:someone@pbx.example, SCHEME_NOT_SUPPORTED",
    "sip:nobody.example:5060, NO_SUCH_NAME",
  })
  void namesWhatCannotBe(String uri, Reason reason) {
    assertThat(notFound(uri)).isEqualTo(reason);
  }

  @Test
  void refusesAFamilyAndATransportThatHaveNoListener() {
    settings = LocateSettings.of(List.of(TransportProtocol.TCP), List.of(AddressFamily.V4));
    assertThat(notFound("sip:[2001:db8::1]")).isEqualTo(Reason.TRANSPORT_NOT_SUPPORTED);
    assertThat(notFound("sip:192.0.2.1;transport=udp")).isEqualTo(Reason.TRANSPORT_NOT_SUPPORTED);
    assertThat(found("sip:192.0.2.1")).containsExactly("TCP 192.0.2.1:5060");
  }

  @ParameterizedTest
  @CsvSource({
    "sip:localhost, UDP 127.0.0.1:5060, UDP [::1]:5060",
    "sip:LOCALHOST:5070;transport=tcp, TCP 127.0.0.1:5070, TCP [::1]:5070",
    "sip:pbx.localhost, UDP 127.0.0.1:5060, UDP [::1]:5060",
  })
  @DisplayName("localhost is loopback without a question (RFC 6761 6.3)")
  void takesLocalhostForLoopback(String uri, String first, String second) {
    assertThat(found(uri)).containsExactly(first, second);
    assertThat(dns.asked).isEmpty();
  }

  @Nested
  class WithAPort {
    @Test
    void asksForAddressesOnlyInTheOrderOfTheFamilies() {
      dns.address("pbx.example", "192.0.2.1");
      dns.address("pbx.example", "2001:db8::1");
      dns.has(Kind.SRV, "_sip._udp.pbx.example", new Data.Srv(1, 1, 9, "other.example"));
      assertThat(found("sip:PBX.Example:5070"))
          .containsExactly("UDP 192.0.2.1:5070", "UDP [2001:db8::1]:5070");
      assertThat(dns.asked).extracting(Question::kind).containsExactly(Kind.A, Kind.AAAA);
      settings =
          LocateSettings.of(
              List.of(TransportProtocol.UDP), List.of(AddressFamily.V6, AddressFamily.V4));
      assertThat(found("sip:pbx.example:5070"))
          .containsExactly("UDP [2001:db8::1]:5070", "UDP 192.0.2.1:5070");
    }
  }

  @Nested
  class WithATransport {
    @Test
    void asksForItsSrvRecords() {
      dns.has(
          Kind.SRV,
          "_sip._tcp.pbx.example",
          new Data.Srv(20, 1, 5080, "b.example"),
          new Data.Srv(10, 1, 5070, "a.example"));
      dns.address("a.example", "192.0.2.1");
      dns.address("b.example", "192.0.2.2");
      assertThat(found("sip:1008@pbx.example;transport=tcp"))
          .containsExactly("TCP 192.0.2.1:5070", "TCP 192.0.2.2:5080");
    }

    @Test
    void fallsBackToAddresses() {
      dns.address("pbx.example", "192.0.2.1");
      assertThat(found("sip:pbx.example;transport=tcp")).containsExactly("TCP 192.0.2.1:5060");
    }
  }

  @Nested
  class WithNeither {
    @Test
    void followsNaptrInItsOrder() {
      dns.has(
          Kind.NAPTR,
          "pbx.example",
          new Data.Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.pbx.example"),
          new Data.Naptr(90, 60, "s", "SIP+D2U", "_sip._udp.pbx.example"),
          new Data.Naptr(90, 50, "S", "sip+d2t", "_sip._tcp.pbx.example"),
          new Data.Naptr(100, 1, "s", "SIP+D2U", "_sip._udp.later.example"),
          new Data.Naptr(90, 1, "u", "E2U+sip", ""));
      dns.has(Kind.SRV, "_sip._tcp.pbx.example", new Data.Srv(1, 1, 5071, "t.example"));
      dns.has(Kind.SRV, "_sip._udp.pbx.example", new Data.Srv(1, 1, 5072, "u.example"));
      dns.has(Kind.SRV, "_sip._udp.later.example", new Data.Srv(1, 1, 5073, "v.example"));
      dns.address("t.example", "192.0.2.1");
      dns.address("u.example", "192.0.2.2");
      dns.address("v.example", "192.0.2.3");
      assertThat(found("sip:pbx.example"))
          .containsExactly("TCP 192.0.2.1:5071", "UDP 192.0.2.2:5072");
    }

    @Test
    void asksForSrvOfEachTransportWithoutNaptr() {
      dns.has(Kind.SRV, "_sip._tcp.pbx.example", new Data.Srv(1, 1, 5071, "t.example"));
      dns.has(Kind.SRV, "_sip._udp.pbx.example", new Data.Srv(9, 1, 5072, "u.example"));
      dns.address("t.example", "192.0.2.1");
      dns.address("u.example", "192.0.2.2");
      assertThat(found("sip:pbx.example"))
          .containsExactly("UDP 192.0.2.2:5072", "TCP 192.0.2.1:5071");
    }

    @Test
    void asksForAddressesWithoutSrv() {
      dns.address("pbx.example", "192.0.2.1");
      assertThat(found("sip:pbx.example")).containsExactly("UDP 192.0.2.1:5060");
    }

    @Test
    void goesOnWhereNaptrAndSrvAreRefused() {
      dns.fails(Kind.NAPTR, "pbx.example", false);
      dns.fails(Kind.SRV, "_sip._udp.pbx.example", false);
      dns.fails(Kind.SRV, "_sip._tcp.pbx.example", true);
      dns.address("pbx.example", "192.0.2.1");
      assertThat(found("sip:pbx.example")).containsExactly("UDP 192.0.2.1:5060");
    }

    @Test
    void takesADotForNoService() {
      dns.has(Kind.SRV, "_sip._udp.pbx.example", new Data.Srv(0, 0, 0, ""));
      dns.address("pbx.example", "192.0.2.1");
      assertThat(notFound("sip:pbx.example")).isEqualTo(Reason.NO_SERVICE);
    }
  }

  @Nested
  class Limits {
    @Test
    void givesEachDestinationOnceAndNoMoreThanTheLimit() {
      settings = settings.withBounds(3, 100, 100);
      var srvs = new Data[10];
      for (int i = 0; i < srvs.length; i++) {
        srvs[i] = new Data.Srv(i, 1, 5060, i < 2 ? "same.example" : "h" + i + ".example");
        dns.address("h" + i + ".example", "192.0.2." + (i + 1));
      }
      dns.address("same.example", "192.0.2.100");
      dns.has(Kind.SRV, "_sip._udp.pbx.example", srvs);
      assertThat(found("sip:pbx.example;transport=udp"))
          .containsExactly("UDP 192.0.2.100:5060", "UDP 192.0.2.3:5060");
      assertThat(dns.asked.stream().filter(question -> question.kind() == Kind.A)).hasSize(2);
    }

    @Test
    void answersInTimeWithWhatThereIs() {
      dns.address("pbx.example", "192.0.2.1");
      dns.isSilent(Kind.AAAA, "pbx.example");
      assertThat(found("sip:pbx.example:5060")).containsExactly("UDP 192.0.2.1:5060");
      assertThat(time.elapsed()).isEqualTo(settings.timeout());
    }

    @Test
    void answersInTimeWithNothing() {
      dns.isSilent(Kind.NAPTR, "pbx.example");
      assertThat(notFound("sip:pbx.example")).isEqualTo(Reason.TIMEOUT);
      assertThat(time.elapsed()).isEqualTo(settings.timeout());
    }

    @Test
    void tellsWhyThereIsNoAddress() {
      dns.fails(Kind.A, "broken.example", false);
      dns.fails(Kind.A, "slow.example", true);
      assertThat(notFound("sip:broken.example:5060")).isEqualTo(Reason.DNS_FAILED);
      assertThat(notFound("sip:slow.example:5060")).isEqualTo(Reason.TIMEOUT);
    }

    @Test
    void refusesQuestionsAboveTheLimit() {
      settings = settings.withBounds(4, 100, 2);
      dns.isSilent(Kind.A, "one.example");
      dns.isSilent(Kind.AAAA, "one.example");
      var locator = locator();
      locator.locate(Uri.of("sip:one.example:5060"), home, location -> {});
      time.runReady();
      assertThat(((Location.NotFound) locate(locator, "sip:two.example:5060")).reason())
          .isEqualTo(Reason.BUSY);
    }
  }

  @Nested
  class Memory {
    @Test
    void asksOnceForAsLongAsTheRecordLives() {
      dns.address("pbx.example", "192.0.2.1");
      var locator = locator();
      assertThat(texts(locate(locator, "sip:pbx.example:5060"))).hasSize(1);
      assertThat(texts(locate(locator, "sip:pbx.example:5060"))).hasSize(1);
      assertThat(dns.asked).hasSize(2);
      time.advance(TTL);
      dns.address("pbx.example", "192.0.2.2");
      assertThat(texts(locate(locator, "sip:pbx.example:5060")))
          .containsExactly("UDP 192.0.2.2:5060");
    }

    @Test
    void asksOnceAtATime() {
      dns.address("pbx.example", "192.0.2.1");
      var locator = locator();
      var answers = new ArrayList<Location>();
      for (int i = 0; i < 10; i++) {
        locator.locate(Uri.of("sip:pbx.example:5060"), home, answers::add);
      }
      time.runAll();
      assertThat(answers).hasSize(10);
      assertThat(dns.asked).hasSize(2);
    }

    @Test
    void doesNotKeepFailures() {
      dns.fails(Kind.A, "pbx.example", true);
      var locator = locator();
      assertThat(locate(locator, "sip:pbx.example:5060")).isInstanceOf(Location.NotFound.class);
      dns.address("pbx.example", "192.0.2.1");
      assertThat(texts(locate(locator, "sip:pbx.example:5060"))).hasSize(1);
    }

    @Test
    void keepsThatThereIsNothingForAShortTime() {
      var locator = locator();
      assertThat(locate(locator, "sip:pbx.example:5060")).isInstanceOf(Location.NotFound.class);
      dns.address("pbx.example", "192.0.2.1");
      assertThat(locate(locator, "sip:pbx.example:5060")).isInstanceOf(Location.NotFound.class);
      time.advance(settings.minLifetime());
      assertThat(texts(locate(locator, "sip:pbx.example:5060"))).hasSize(1);
    }

    @Test
    void forgetsWhatWasUsedLongestAgoAboveTheLimit() {
      settings = settings.withBounds(4, 3, 100);
      var cache = new CachingDns(dns, own, settings);
      own.execute(
          () -> {
            for (String name : List.of("a", "b", "c", "a", "d")) {
              dns.address(name, "192.0.2.1");
              cache.ask(new Question(Kind.A, name), answer -> {});
            }
          });
      time.runReady();
      assertThat(cache.keptAnswers()).isEqualTo(3);
      dns.asked.clear();
      own.execute(() -> cache.ask(new Question(Kind.A, "a"), answer -> {}));
      own.execute(() -> cache.ask(new Question(Kind.A, "d"), answer -> {}));
      time.runReady();
      assertThat(dns.asked).as("of those asked last").hasSizeLessThan(2);
    }
  }
}
