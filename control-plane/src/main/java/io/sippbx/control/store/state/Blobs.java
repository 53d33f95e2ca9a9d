package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.store.Octets;
import io.sippbx.proto.state.v1.Blob;
import io.sippbx.shared.identity.Content;
import io.sippbx.shared.sdp.SdpLimits;
import io.sippbx.shared.sdp.SdpParseResult;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The blobs of one record while it is written or read: each is named by what it holds, so that the
 * same message or description is stored once, and one that is stored already is not sent again.
 */
final class Blobs {

  // What we wrote ourselves is taken back whatever its size: limits were met when it came in.
  private static final SipLimits ANY_MESSAGE =
      new SipLimits(1 << 20, 1 << 20, 10_000, 10_000, 10_000, 1 << 20, 1 << 20);
  private static final SdpLimits ANY_DESCRIPTION = new SdpLimits(1 << 20, 100_000, 10_000, 10_000);

  private final SortedMap<String, ByteString> octets;

  // A record names the same message in several places: it is read once, for all of them.
  private final Map<Long, SipMessage> messages = new TreeMap<>();
  private final Map<Long, SessionDescription> descriptions = new TreeMap<>();

  private Blobs(SortedMap<String, ByteString> octets) {
    this.octets = octets;
  }

  static Blobs none() {
    return new Blobs(new TreeMap<>());
  }

  static Blobs of(SortedMap<String, ByteString> stored) {
    return new Blobs(stored);
  }

  SortedMap<String, ByteString> all() {
    return octets;
  }

  Blob add(SipMessage message) {
    return add(message.content());
  }

  Blob add(SessionDescription description) {
    return add(description.content());
  }

  private Blob add(Content content) {
    long id = content.name();
    String name = content.nameText();
    if (!octets.containsKey(name)) {
      octets.put(name, content.octets());
    }
    return Blob.newBuilder().setId(id).build();
  }

  SipRequest request(Blob blob) {
    if (message(blob) instanceof SipRequest request) {
      return request;
    }
    throw unreadable(blob, "a request");
  }

  SipResponse response(Blob blob) {
    if (message(blob) instanceof SipResponse response) {
      return response;
    }
    throw unreadable(blob, "a response");
  }

  private SipMessage message(Blob blob) {
    SipMessage known = messages.get(blob.getId());
    if (known != null) {
      return known;
    }
    byte[] octets = octets(blob);
    if (SipParser.parseOwned(octets, ANY_MESSAGE) instanceof ParseResult.Parsed parsed) {
      parsed.message().content(Content.of(octets, blob.getId()));
      messages.put(blob.getId(), parsed.message());
      return parsed.message();
    }
    throw unreadable(blob, "a message");
  }

  SessionDescription description(Blob blob) {
    SessionDescription known = descriptions.get(blob.getId());
    if (known != null) {
      return known;
    }
    byte[] octets = octets(blob);
    if (SessionDescription.parse(octets, ANY_DESCRIPTION) instanceof SdpParseResult.Parsed parsed) {
      parsed.description().content(Content.of(octets, blob.getId()));
      descriptions.put(blob.getId(), parsed.description());
      return parsed.description();
    }
    throw unreadable(blob, "a session description");
  }

  private byte[] octets(Blob blob) {
    ByteString content = octets.get(name(blob.getId()));
    if (content == null) {
      throw new UnreadableException("Expected blob " + name(blob.getId()));
    }
    return Octets.shared(content);
  }

  private static UnreadableException unreadable(Blob blob, String expected) {
    return new UnreadableException("Expected " + expected + " in blob " + name(blob.getId()));
  }

  private static String name(long id) {
    return HexFormat.of().toHexDigits(id);
  }
}
