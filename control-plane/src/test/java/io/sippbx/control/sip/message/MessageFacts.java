package io.sippbx.control.sip.message;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Facts of a message under names such as {@code via.1.branch}, as they stand in the expectations
 * beside the messages of RFCs. An absent value is "-"; control characters and those above ASCII are
 * escaped as in Java.
 */
final class MessageFacts {

  private static final String ABSENT = "-";

  private MessageFacts() {}

  static String of(SipMessage message, String name) {
    return escaped(fact(message, name));
  }

  private static String fact(SipMessage message, String name) {
    int dot = name.indexOf('.');
    String head = dot < 0 ? name : name.substring(0, dot);
    String rest = dot < 0 ? "" : name.substring(dot + 1);
    return switch (head) {
      case "method" -> ((SipRequest) message).method().name();
      case "uri" -> uri(((SipRequest) message).uri(), rest);
      case "status" -> Integer.toString(((SipResponse) message).status());
      case "reason" -> ((SipResponse) message).reason();
      case "from" -> nameAddr(message.from(), rest);
      case "to" -> nameAddr(message.to(), rest);
      case "call-id" -> message.callId().value();
      case "cseq" -> message.cSeq().toString();
      case "max-forwards" -> text(message.maxForwards());
      case "content-type" -> message.contentType().orElse(ABSENT);
      case "fields" -> Integer.toString(message.headerFields().size());
      case "size" -> Integer.toString(message.size());
      case "body" -> Integer.toString(message.body().length);
      case "vias" -> Integer.toString(message.vias().size());
      case "contacts" -> Integer.toString(message.contacts().size());
      case "routes" -> Integer.toString(message.routes().size());
      case "via" -> via(message.vias().get(index(rest)), after(rest));
      case "contact" -> nameAddr(message.contacts().get(index(rest)), after(rest));
      case "route" -> message.routes().get(index(rest)).toString();
      case "record-route" -> message.recordRoutes().get(index(rest)).toString();
      case "header" -> message.header(HeaderName.of(rest)).orElse(ABSENT);
      case "values" -> Integer.toString(message.headers(HeaderName.of(rest)).size());
      case "tags" -> String.join(" ", message.optionTags(HeaderName.of(rest)));
      default -> throw new IllegalArgumentException("Expected a known fact, but got " + name);
    };
  }

  private static int index(String text) {
    int dot = text.indexOf('.');
    return Integer.parseInt(dot < 0 ? text : text.substring(0, dot));
  }

  private static String after(String text) {
    int dot = text.indexOf('.');
    return dot < 0 ? "" : text.substring(dot + 1);
  }

  private static String nameAddr(NameAddr value, String name) {
    if (name.equals("uri") || name.startsWith("uri.")) {
      return uri(value.uri(), after(name));
    }
    if (name.startsWith("param.")) {
      return value.params().get(name.substring(6)).orElse(ABSENT);
    }
    if (name.startsWith("has.")) {
      return Boolean.toString(value.params().has(name.substring(4)));
    }
    return switch (name) {
      case "display" -> value.displayName().orElse(ABSENT);
      case "tag" -> value.tag().map(Tag::value).orElse(ABSENT);
      case "q" -> Integer.toString(value.qThousandths());
      default -> uri(value.uri(), name);
    };
  }

  private static String uri(Uri uri, String name) {
    if (name.startsWith("param.")) {
      return ((SipUri) uri).params().get(name.substring(6)).orElse(ABSENT);
    }
    if (name.startsWith("has.")) {
      return Boolean.toString(((SipUri) uri).params().has(name.substring(4)));
    }
    return switch (name) {
      case "" -> uri.toString();
      case "kind" -> uri.getClass().getSimpleName();
      case "scheme" -> uri.scheme();
      case "user" -> ((SipUri) uri).user().orElse(ABSENT);
      case "userText" -> ((SipUri) uri).userText().orElse(ABSENT);
      case "password" -> ((SipUri) uri).password().orElse(ABSENT);
      case "host" -> ((SipUri) uri).host();
      case "ip" -> text(((SipUri) uri).hostIp());
      case "port" -> text(((SipUri) uri).port());
      case "headers" -> Integer.toString(((SipUri) uri).headers().list().size());
      default -> throw new IllegalArgumentException("Expected a known fact, but got " + name);
    };
  }

  private static String via(Via via, String name) {
    return switch (name) {
      case "" -> via.toString();
      case "transport" -> via.transport();
      case "protocol" -> text(via.protocol());
      case "host" -> via.host();
      case "ip" -> text(via.hostIp());
      case "port" -> text(via.port());
      case "branch" -> text(via.branch());
      case "received" -> text(via.received());
      case "wantsRport" -> Boolean.toString(via.wantsRport());
      case "rfc3261" -> Boolean.toString(via.branch().map(Branch::isRfc3261).orElse(false));
      default -> throw new IllegalArgumentException("Expected a known fact, but got " + name);
    };
  }

  /** The URI that a fact such as {@code to.equivalent} compares with. */
  static Uri uriOf(SipMessage message, List<String> path) {
    return switch (path.getFirst()) {
      case "uri" -> ((SipRequest) message).uri();
      case "to" -> message.to().uri();
      default -> message.contacts().get(Integer.parseInt(path.get(1))).uri();
    };
  }

  private static String text(Optional<?> value) {
    return value.isPresent() ? value.get().toString() : ABSENT;
  }

  private static String text(OptionalInt value) {
    return value.isPresent() ? Integer.toString(value.getAsInt()) : ABSENT;
  }

  private static String escaped(String text) {
    var out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c < 0x7f) {
        out.append(c);
      } else {
        out.append(String.format("\\u%04x", (int) c));
      }
    }
    return out.toString();
  }
}
