package io.sippbx.control.event;

import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.store.CommitId;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Turns what happened to bindings into the published form. */
public final class RegistrationEventEncoder {

  /** Of the message, as its schema says. */
  static final int SCHEMA_VERSION = 1;

  private final NodeId node;

  /**
   * @param node who commits
   */
  public RegistrationEventEncoder(NodeId node) {
    this.node = node;
  }

  /** The events of one commit: of the changes that are told. */
  public List<RegistrationEvent> encode(CommitId commit, Instant now, List<BindingChange> changes) {
    var events = new ArrayList<RegistrationEvent>(changes.size());
    for (BindingChange change : changes) {
      if (change.isTold()) {
        events.add(encode(commit, now, change));
      }
    }
    return events;
  }

  private RegistrationEvent encode(CommitId commit, Instant now, BindingChange change) {
    Binding binding = change.binding();
    return RegistrationEvent.newBuilder()
        .setEventId(commit + ":" + change.seq())
        .setAor(change.aor().toString())
        .setSeq(change.seq())
        .setTime(Timestamps.of(now))
        .setNodeId(node.text())
        .setSchemaVersion(SCHEMA_VERSION)
        .setKind(kind(change.kind()))
        .setContact(binding.uri().toString())
        .setInstance(binding.instance().orElse(""))
        .setSourceIp(binding.received().ip().toString())
        .setSourcePort(binding.received().port())
        .setTransport(binding.flow().protocol().name().toLowerCase(Locale.ROOT))
        .setExpiresAt(Timestamps.of(binding.expiresAt()))
        .setUserAgent(binding.userAgent())
        .build();
  }

  private static RegistrationKind kind(BindingChange.Kind kind) {
    return switch (kind) {
      case REGISTERED -> RegistrationKind.REGISTRATION_KIND_REGISTERED;
      case REFRESHED, MOVED -> RegistrationKind.REGISTRATION_KIND_REFRESHED;
      case REMOVED -> RegistrationKind.REGISTRATION_KIND_UNREGISTERED;
      case EXPIRED -> RegistrationKind.REGISTRATION_KIND_EXPIRED;
    };
  }
}
