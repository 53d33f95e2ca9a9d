package io.sippbx.control.edge;

import io.sippbx.control.call.Target;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.locate.Locator;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/** Finds the way to the Contacts of a 3xx, best first (RFC 3261 8.1.3.4). Lives on one loop. */
final class Redirects {

  private static final int MAX_CONTACTS = 5;

  private final Locator locator;
  private final Loop loop;

  Redirects(Locator locator, Loop loop) {
    this.locator = locator;
    this.loop = loop;
  }

  /** Answers inline for what is no redirect, else on the loop. */
  void targets(SipResponse response, Consumer<List<Target>> answer) {
    if (response.status() / 100 != 3) {
      answer.accept(List.of());
      return;
    }
    List<SipUri> uris =
        response.contacts().stream()
            .sorted(Comparator.comparingInt(NameAddr::qThousandths).reversed())
            .map(NameAddr::uri)
            .filter(SipUri.class::isInstance)
            .map(SipUri.class::cast)
            .limit(MAX_CONTACTS)
            .toList();
    locate(uris, 0, new ArrayList<>(), answer);
  }

  private void locate(
      List<SipUri> uris, int index, List<Target> found, Consumer<List<Target>> answer) {
    if (index == uris.size()) {
      answer.accept(found);
      return;
    }
    SipUri uri = uris.get(index);
    locator.locate(
        uri,
        loop,
        location -> {
          if (location instanceof Location.Found at) {
            found.add(Target.located(uri, List.of(), at.destinations()));
          }
          locate(uris, index + 1, found, answer);
        });
  }
}
