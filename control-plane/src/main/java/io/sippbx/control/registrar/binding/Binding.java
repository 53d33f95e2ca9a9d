package io.sippbx.control.registrar.binding;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A contact of an address-of-record.
 *
 * @param contact as registered, with its parameters (q, +sip.instance, reg-id, capabilities) but
 *     without expires
 * @param callId of the REGISTER that wrote it last; with {@code cSeq} what orders two of them
 * @param path the proxies to it, to be used as a route set (RFC 3327)
 * @param flow the REGISTER came by
 * @param userAgent the User-Agent of the REGISTER, cut to {@value #MAX_USER_AGENT} characters;
 *     empty without one
 */
public record Binding(
    NameAddr contact,
    CallId callId,
    long cSeq,
    List<NameAddr> path,
    Flow flow,
    Reach reach,
    String userAgent,
    Instant updatedAt,
    Instant expiresAt) {

  /** Characters that are kept of a User-Agent. */
  public static final int MAX_USER_AGENT = 128;

  /** Copies {@code path} and cuts the user agent. */
  public Binding {
    path = List.copyOf(path);
    userAgent =
        userAgent.length() > MAX_USER_AGENT ? userAgent.substring(0, MAX_USER_AGENT) : userAgent;
  }

  /** The contact's URI. */
  public Uri uri() {
    return contact.uri();
  }

  /** The preference among the contacts of one address-of-record, 0 to 1000. */
  public int qThousandths() {
    return contact.qThousandths();
  }

  /** The device ({@code +sip.instance}, without its angle brackets). */
  public Optional<String> instance() {
    return Device.instanceOf(contact);
  }

  /** Which of the device's flows it is (RFC 5626). */
  public OptionalInt regId() {
    String digits = contact.params().raw("reg-id").orElse("");
    return !digits.isEmpty()
            && digits.length() <= 9
            && digits.chars().allMatch(c -> c >= '0' && c <= '9')
        ? OptionalInt.of(Integer.parseInt(digits))
        : OptionalInt.empty();
  }

  /** Where the sender of the REGISTER was seen. */
  public Endpoint received() {
    return flow.remote();
  }

  /** Whether it still holds. */
  public boolean isLive(Instant now) {
    return expiresAt.isAfter(now);
  }

  /** Seconds until it expires, rounded up, so that a live binding never shows 0. */
  public long remainingSeconds(Instant now) {
    Duration rest = Duration.between(now, expiresAt);
    return Math.max(0, rest.plusNanos(999_999_999).toSeconds());
  }
}
