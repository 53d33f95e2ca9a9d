package io.sippbx.control.sip.transport;

import io.sippbx.control.sip.message.Via;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;

/** What a server transport reads from and writes into the topmost Via. Pure. */
final class Vias {

  private Vias() {}

  /**
   * The topmost Via of a request with the source that was seen. Whatever the sender wrote into
   * received and rport is replaced, so that nobody can send our answers elsewhere.
   *
   * @return {@code top} itself if there is nothing to add
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18.2.1">RFC 3261 18.2.1</a>
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3581#section-4">RFC 3581 4</a>
   */
  static Via completed(Via top, Endpoint source) {
    if (top.wantsRport()) {
      // RFC 3581 4: received MUST be there then, even if it is the same as sent-by.
      return top.withReceived(source.ip()).withRport(source.port());
    }
    boolean told = top.hostIp().equals(Optional.of(source.ip()));
    return told && !top.params().has("received") ? top : top.withReceived(source.ip());
  }

  /**
   * Where a response goes over UDP: to the source if rport was asked for; else to maddr, if that is
   * the address of one host; else to the source's address and the port of sent-by.
   *
   * <p>RFC 3261 18.2.2 puts maddr first. A client that asks for rport wants its answer back where
   * it sent from, and maddr is an address that nobody has verified: rport goes first here.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18.2.2">RFC 3261 18.2.2</a>
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3581#section-4">RFC 3581 4</a>
   */
  static Endpoint answerTo(Via top, Endpoint source) {
    if (top.wantsRport()) {
      return source;
    }
    Optional<IpAddress> maddr =
        top.maddr().flatMap(IpAddress::parse).filter(ip -> isHostLike(ip, source.ip()));
    return new Endpoint(maddr.orElse(source.ip()), top.effectivePort());
  }

  /**
   * Where a response goes over TCP when the connection of its request is gone: the source's address
   * and the port of sent-by.
   *
   * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-18.2.2">RFC 3261 18.2.2</a>
   */
  static Endpoint reconnectTo(Via top, Endpoint source) {
    return source.withPort(top.effectivePort());
  }

  /**
   * The address of one host; of the family that the request came by; and not our loopback for a
   * peer that is not there itself.
   */
  private static boolean isHostLike(IpAddress ip, IpAddress source) {
    return isHost(ip) && ip.isV6() == source.isV6() && (!ip.isLoopback() || source.isLoopback());
  }

  /** Whether it can be the address of one host: not multicast, broadcast or unspecified. */
  static boolean isHost(IpAddress ip) {
    int first = ip.octets()[0] & 255;
    return !ip.isUnspecified() && (ip.isV6() ? first != 255 : first > 0 && first < 224);
  }
}
