package io.sippbx.control.sip.message;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What holds for any octets: nothing throws, views agree with each other and with what is written,
 * and a stream gives the same however it is cut. Used by the fuzz test and by the property tests.
 */
final class ParserProperties {

  private static final HeaderName[] NAMES = {
    HeaderName.SUBJECT, HeaderName.ACCEPT, HeaderName.WARNING, HeaderName.of("X-Unknown")
  };

  private ParserProperties() {}

  static void check(byte[] octets) {
    ParseResult datagram = SipParser.parse(octets, 0, octets.length, SipLimits.DEFAULT);
    checkResult(datagram);
    assertEquals(datagram.getClass(), parseShifted(octets).getClass(), "an offset changes nothing");
    ParseResult stream = SipParser.parseStream(octets, 0, octets.length, SipLimits.DEFAULT);
    checkResult(stream);
    checkSplits(octets, stream);
  }

  private static ParseResult parseShifted(byte[] octets) {
    var shifted = new byte[octets.length + 7];
    System.arraycopy(octets, 0, shifted, 3, octets.length);
    return SipParser.parse(shifted, 3, octets.length, SipLimits.DEFAULT);
  }

  private static void checkResult(ParseResult result) {
    switch (result) {
      case ParseResult.Parsed(SipMessage message, int consumed) -> {
        assertTrue(consumed >= message.size());
        checkMessage(message);
      }
      case ParseResult.Malformed malformed -> {
        assertTrue(malformed.offset() >= 0 && malformed.consumed() >= 0);
        malformed.answerable().ifPresent(request -> checkAnswer(request, malformed));
      }
      case ParseResult.NeedMoreBytes needMore -> assertTrue(needMore.atLeast() > 0);
      case ParseResult.KeepAlive keepAlive -> assertTrue(keepAlive.consumed() >= 0);
    }
  }

  private static void checkMessage(SipMessage message) {
    List<Object> views = views(message);
    SipMessage again = parsed(message.toBytes());
    assertEquals(message, again);
    assertEquals(views, views(again));
    SipMessage rebuilt =
        switch (message) {
          case SipRequest request -> request.toBuilder().build();
          case SipResponse response -> response.toBuilder().build();
        };
    assertEquals(views(rebuilt), views(parsed(rebuilt.toBytes())), "the builder's index is right");
    assertEquals(message.vias(), rebuilt.vias());
    assertEquals(message.from(), rebuilt.from());
    assertEquals(message.contacts(), rebuilt.contacts());
    checkValues(message);
  }

  /** Values that are written are read as the same, and builders take what views give. */
  private static void checkValues(SipMessage message) {
    for (NameAddr value : nameAddrs(message)) {
      assertEquals(value.uri(), Uri.of(value.uri().toString()));
      assertTrue(value.uri().equivalent(value.uri()), "equal to itself: " + value);
      if (value.displayName().filter(Text::hasControl).isEmpty()) {
        assertEquals(Optional.of(value), NameAddr.parse(value.toString()));
      }
    }
    for (Via via : message.vias()) {
      assertEquals(Optional.of(via), Via.parse(via.toString()));
    }
    var uri = message instanceof SipRequest request ? request.uri() : SipUri.of("example.com");
    SipRequest.Builder builder =
        SipRequest.builder(message.cSeq().method(), uri)
            .via(message.topVia())
            .from(message.from())
            .to(message.to())
            .callId(message.callId())
            .cSeq(message.cSeq())
            .copyUnknown(message);
    message.contacts().forEach(builder::addContact);
    message.routes().forEach(builder::route);
    SipRequest built = builder.build();
    assertEquals(views(built), views(parsed(built.toBytes())));
    assertEquals(message.routes(), built.routes());
  }

  private static List<NameAddr> nameAddrs(SipMessage message) {
    var values = new ArrayList<NameAddr>(message.contacts());
    values.addAll(message.routes());
    values.addAll(message.recordRoutes());
    values.add(message.from());
    values.add(message.to());
    return values;
  }

  private static void checkAnswer(SipRequest request, ParseResult.Malformed malformed) {
    SipResponse response =
        SipResponse.to(request, malformed.status())
            .reason(malformed.reason())
            .toTag(new Tag("t"))
            .build();
    SipMessage again = parsed(response.toBytes());
    assertEquals(request.vias(), again.vias());
    assertEquals(request.cSeq(), again.cSeq());
    views(request);
    Via completed = request.topVia().withRport(5060);
    SipRequest asArrived = request.toBuilder().replaceTopVia(completed).build();
    assertEquals(completed, asArrived.topVia(), "can be completed with where it came from");
    assertEquals(request.cSeq(), asArrived.cSeq());
    assertEquals(views(asArrived).size(), views(request).size());
  }

  /** A message of ours, which any limit that its source met cannot refuse. */
  private static SipMessage parsed(byte[] bytes) {
    var limits = new SipLimits(1 << 20, 1 << 20, 1 << 16, 1 << 16, 1 << 16, 1 << 20, 1 << 20);
    return switch (SipParser.parse(bytes, 0, bytes.length, limits)) {
      case ParseResult.Parsed(SipMessage message, int consumed) -> message;
      case ParseResult other ->
          throw new AssertionError(
              "Expected what was written to be read, but got "
                  + other
                  + " of\n"
                  + Text.utf8(bytes, 0, bytes.length));
    };
  }

  /** Every view there is. */
  private static List<Object> views(SipMessage message) {
    var views = new ArrayList<Object>();
    views.add(message.callId());
    views.add(message.cSeq());
    views.add(message.from());
    views.add(message.to());
    views.add(message.fromTag());
    views.add(message.toTag());
    views.add(message.topVia());
    views.add(message.vias());
    views.add(message.contacts());
    views.add(message.contactIsWildcard());
    views.add(message.routes());
    views.add(message.recordRoutes());
    views.add(message.paths());
    views.add(message.maxForwards());
    views.add(message.expires());
    views.add(message.minExpires());
    views.add(message.contentType());
    views.add(message.isContentType("application/sdp"));
    views.add(message.contentLength());
    views.add(message.headerFields());
    views.add(message.optionTags(HeaderName.REQUIRE));
    views.add(message.optionTags(HeaderName.SUPPORTED));
    for (HeaderName name : NAMES) {
      views.add(message.header(name));
      views.add(message.headers(name));
    }
    views.add(message.hasBody());
    views.add(message.body().length);
    for (NameAddr contact : message.contacts()) {
      views.add(contact.q());
      views.add(contact.expires());
    }
    for (Via via : message.vias()) {
      views.add(via.branch());
      views.add(via.received());
      views.add(via.rport());
      views.add(via.ttl());
      views.add(via.maddr());
      views.add(via.protocol());
      views.add(via.hostIp());
      views.add(via.effectivePort());
    }
    switch (message) {
      case SipRequest request -> {
        views.add(request.method());
        views.add(request.uri());
        views.add(request.uriBytes().length);
      }
      case SipResponse response -> {
        views.add(response.status());
        views.add(response.reason());
      }
    }
    return views;
  }

  /** The stream arrives in two parts at every place, or at some places of a long one. */
  private static void checkSplits(byte[] octets, ParseResult whole) {
    int step = Math.max(1, octets.length / 12);
    for (int split = 1 + octets.length % step; split < octets.length; split += step) {
      ParseResult result = SipParser.parseStream(octets, 0, split, SipLimits.DEFAULT);
      if (result instanceof ParseResult.NeedMoreBytes(int atLeast, int scanned)) {
        assertTrue(atLeast > split, "more is more");
        assertTrue(scanned <= split);
        if (atLeast <= octets.length) {
          result = SipParser.parseStream(octets, 0, octets.length, scanned, SipLimits.DEFAULT);
          assertEquals(whole, result, "split at " + split);
        }
      } else if (result instanceof ParseResult.Parsed) {
        assertEquals(whole, result, "split at " + split);
      }
    }
  }
}
