package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random messages are read as they were written; damaged ones break nothing. */
class RandomMessageTest {

  private static final String NAME_CHARACTERS = "abcXYZ019 \"\\<>,;:@%\u00e9\u4e2d\t'";
  private static final String TOKEN_CHARACTERS = "abcXYZ019-.!%*_+`'~";

  static LongStream seeds() {
    return LongStream.range(0, 200);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void areReadAsTheyWereWritten(long seed) {
    var random = new Random(seed);
    List<Via> vias = several(random, 1, () -> via(random));
    NameAddr from = nameAddr(random);
    NameAddr to = nameAddr(random);
    List<NameAddr> contacts = several(random, 0, () -> nameAddr(random));
    List<NameAddr> routes = several(random, 0, () -> nameAddr(random));
    var callId = new CallId(text(random, TOKEN_CHARACTERS + "@<>:\\\"/[]?{}", 30));
    var cSeq =
        new CSeq(random.nextInt() & 0x7fff_ffffL, new Method(text(random, TOKEN_CHARACTERS, 9)));
    Uri uri = uri(random, false);
    var body = new byte[random.nextInt(300)];
    random.nextBytes(body);
    int hops = random.nextInt(256);
    var extension = HeaderName.of("X-" + text(random, TOKEN_CHARACTERS, 8));
    String value = text(random, NAME_CHARACTERS, 40).strip();

    SipRequest.Builder builder =
        SipRequest.builder(cSeq.method(), uri)
            .from(from)
            .to(to)
            .callId(callId)
            .cSeq(cSeq)
            .maxForwards(hops)
            .addHeader(extension, value)
            .routes(routes)
            .body("application/octet-stream", body);
    vias.forEach(builder::via);
    contacts.forEach(builder::addContact);
    byte[] octets = builder.build().toBytes();

    var parsed = (ParseResult.Parsed) SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT);
    var request = (SipRequest) parsed.message();
    assertEquals(builder.build(), request);
    assertEquals(uri, request.uri());
    assertEquals(vias, request.vias());
    assertEquals(from, request.from());
    assertEquals(to, request.to());
    assertEquals(contacts, request.contacts());
    assertEquals(routes, request.routes());
    assertEquals(callId, request.callId());
    assertEquals(cSeq, request.cSeq());
    assertEquals(OptionalInt.of(hops), request.maxForwards());
    assertEquals(Optional.of(value), request.header(extension));
    assertEquals(body.length, request.body().length);
    ParserProperties.check(octets);
  }

  /** Octets changed, left out, doubled and cut at random places of messages of the RFCs. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void breakNothingWhenDamaged(long seed) {
    var random = new Random(seed);
    List<RfcMessages.RfcMessage> all = RfcMessages.all();
    for (int round = 0; round < 20; round++) {
      byte[] octets = all.get(random.nextInt(all.size())).bytes();
      for (int damage = random.nextInt(6); damage >= 0 && octets.length > 4; damage--) {
        octets = damaged(octets, random);
      }
      ParserProperties.check(octets);
    }
  }

  private static byte[] damaged(byte[] octets, Random random) {
    int at = random.nextInt(octets.length);
    int length = Math.min(1 + random.nextInt(20), octets.length - at);
    String syntax = "\r\n \t,;:<>\"\\@%=?&[]*/";
    switch (random.nextInt(5)) {
      case 0 -> octets[at] = (byte) random.nextInt(256);
      case 1 -> octets[at] = (byte) syntax.charAt(random.nextInt(syntax.length()));
      case 2 ->
          System.arraycopy(octets, random.nextInt(octets.length - length + 1), octets, at, length);
      case 3 -> {
        var shorter = new byte[octets.length - length];
        System.arraycopy(octets, 0, shorter, 0, at);
        System.arraycopy(octets, at + length, shorter, at, shorter.length - at);
        return shorter;
      }
      default -> {
        var longer = new byte[octets.length + length];
        System.arraycopy(octets, 0, longer, 0, at + length);
        System.arraycopy(octets, at, longer, at + length, octets.length - at);
        return longer;
      }
    }
    return octets;
  }

  private static <T> List<T> several(Random random, int least, java.util.function.Supplier<T> one) {
    var list = new ArrayList<T>();
    for (int n = least + random.nextInt(4); n > 0; n--) {
      list.add(one.get());
    }
    return list;
  }

  private static String text(Random random, String characters, int max) {
    var text = new StringBuilder();
    for (int n = 1 + random.nextInt(max); n > 0; n--) {
      text.append(characters.charAt(random.nextInt(characters.length())));
    }
    return text.toString();
  }

  private static String host(Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> "192.0.2." + random.nextInt(256);
      case 1 -> "[2001:db8::" + Integer.toHexString(random.nextInt(65_536)) + "]";
      case 2 -> "[::ffff:192.0.2." + random.nextInt(256) + "]";
      default -> text(random, "abc", 5) + "." + text(random, "xyz-019", 5) + ".example";
    };
  }

  private static Uri uri(Random random, boolean headers) {
    return switch (random.nextInt(8)) {
      case 0 -> new TelUri("+" + text(random, "0123456789-.()", 12) + "1", params(random, false));
      case 1 -> new OtherUri("x+y.z", text(random, "abc:/?#%;,@", 20));
      default -> sipUri(random, headers);
    };
  }

  private static SipUri sipUri(Random random, boolean headers) {
    SipUri uri = SipUri.of(host(random)).withSecure(random.nextBoolean());
    if (random.nextInt(4) > 0) {
      uri = uri.withUser(text(random, NAME_CHARACTERS, 12));
    }
    if (random.nextBoolean()) {
      uri = uri.withPort(1 + random.nextInt(65_535));
    }
    uri = uri.withParams(params(random, false));
    return headers && random.nextBoolean()
        ? uri.withHeaders(Params.EMPTY.with("Subject", "a%20b").with("X", "1"))
        : uri;
  }

  private static Params params(Random random, boolean quoted) {
    Params params = Params.EMPTY;
    for (int n = random.nextInt(4); n > 0; n--) {
      String name = "p" + text(random, "abcXYZ019-.", 6);
      params =
          switch (random.nextInt(quoted ? 3 : 2)) {
            case 0 -> params.withFlag(name);
            case 1 -> params.with(name, text(random, "abcXYZ019-.!*_+'~", 10));
            default -> params.withQuoted(name, text(random, NAME_CHARACTERS, 10));
          };
    }
    return params;
  }

  private static NameAddr nameAddr(Random random) {
    Uri uri = uri(random, true);
    Params params = params(random, true);
    if (random.nextBoolean()) {
      params = params.with("tag", text(random, TOKEN_CHARACTERS, 10));
    }
    return new NameAddr(
        random.nextBoolean() ? Optional.of(text(random, NAME_CHARACTERS, 20)) : Optional.empty(),
        uri,
        params);
  }

  private static Via via(Random random) {
    var transports = List.of("UDP", "TCP", "TLS", "WSS", "X.y");
    return new Via(
        transports.get(random.nextInt(transports.size())),
        host(random),
        random.nextBoolean() ? OptionalInt.empty() : OptionalInt.of(1 + random.nextInt(65_535)),
        params(random, true).with("branch", "z9hG4bK" + text(random, TOKEN_CHARACTERS, 10)));
  }
}
