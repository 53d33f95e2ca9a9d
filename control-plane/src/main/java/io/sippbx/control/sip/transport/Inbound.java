package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Via;
import io.sippbx.control.sip.transport.TransportCounters.Drop;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Instant;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is done with everything that was read, whatever it came by, before it is passed up. */
final class Inbound {

  private final Set<Endpoint> ours;
  private final TransportCounters counters;
  private volatile Set<Endpoint> ofOthers = Collections.emptySet();
  private volatile @Nullable SipReceiver receiver;
  private volatile @Nullable MessageTracer tracer;

  /**
   * @param ours all advertised endpoints
   */
  Inbound(Set<Endpoint> ours, TransportCounters counters) {
    this.ours = ours;
    this.counters = counters;
  }

  void deliverTo(@Nullable SipReceiver newReceiver) {
    receiver = newReceiver;
  }

  /** Takes responses to these addresses too. */
  void takeFor(Set<Endpoint> others) {
    ofOthers = others;
  }

  void traceTo(@Nullable MessageTracer newTracer) {
    tracer = newTracer;
  }

  @Nullable MessageTracer tracer() {
    return tracer;
  }

  /** Gives the octets of a message to the tracer, if there is one; they are copied. */
  void trace(byte[] buffer, int offset, int length, Flow flow) {
    MessageTracer current = tracer;
    if (current != null) {
      byte[] copy = new byte[length];
      System.arraycopy(buffer, offset, copy, 0, length);
      current.received(copy, flow, Instant.now());
    }
  }

  void parsed(SipMessage message, Flow flow) {
    SipReceiver up = receiver;
    if (up == null) {
      counters.countDropped(Drop.CLOSED);
      return;
    }
    counters.countReceived(flow.protocol());
    switch (message) {
      case SipRequest request -> up.received(completed(request, flow), flow);
      case SipResponse response -> {
        // RFC 3261 18.1.2: a response that is not for us MUST be discarded.
        if (isOurs(response.topVia())) {
          up.received(response, flow);
        } else {
          counters.countDropped(Drop.FOREIGN_RESPONSE);
        }
      }
    }
  }

  void malformed(ParseResult.Malformed malformed, Flow flow) {
    counters.countMalformed(flow.protocol());
    SipReceiver up = receiver;
    if (up != null) {
      up.malformed(
          new ParseResult.Malformed(
              malformed.status(),
              malformed.reason(),
              malformed.offset(),
              malformed.consumed(),
              malformed.answerable().map(request -> completed(request, flow))),
          flow);
    }
  }

  private static SipRequest completed(SipRequest request, Flow flow) {
    Via top = request.topVia();
    Via completed = Vias.completed(top, flow.remote());
    return completed.equals(top) ? request : request.toBuilder().replaceTopVia(completed).build();
  }

  private boolean isOurs(Via top) {
    Optional<IpAddress> ip = top.hostIp();
    if (ip.isEmpty()) {
      return false;
    }
    var sentBy = new Endpoint(ip.get(), top.effectivePort());
    return ours.contains(sentBy) || ofOthers.contains(sentBy);
  }

  static boolean isStun(byte[] octets) {
    // RFC 8489 5: two zero bits, and the magic cookie.
    return octets.length >= 20
        && (octets[0] & 0xc0) == 0
        && octets[4] == 0x21
        && octets[5] == 0x12
        && octets[6] == (byte) 0xa4
        && octets[7] == 0x42;
  }

  TransportCounters counters() {
    return counters;
  }

  static boolean isPing(byte[] octets) {
    return octets.length == 4
        && octets[0] == '\r'
        && octets[1] == '\n'
        && octets[2] == '\r'
        && octets[3] == '\n';
  }
}
