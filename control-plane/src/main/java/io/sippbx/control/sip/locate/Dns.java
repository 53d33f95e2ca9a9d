package io.sippbx.control.sip.locate;

import io.sippbx.shared.net.IpAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** What {@link Rfc3263Locator} needs of the domain name system. Confined to the locator's loop. */
public interface Dns {

  /** Answers once, by a task on the locator's loop and never inline. */
  void ask(Question question, Consumer<Answer> answer);

  /** Which records. */
  enum Kind {
    /** IPv4 addresses. */
    A,
    /** IPv6 addresses. */
    AAAA,
    /** Hosts of a service. */
    SRV,
    /** Services of a domain. */
    NAPTR
  }

  /**
   * A question.
   *
   * @param name in lower case, without the dot at its end
   */
  record Question(Kind kind, String name) {}

  /** What DNS says. */
  sealed interface Answer {

    /**
     * Records; of the kind that was asked for.
     *
     * @param lifetime for which they may be kept
     */
    record Records(List<Data> records, Duration lifetime) implements Answer {
      /** Copies {@code records}. */
      public Records {
        records = List.copyOf(records);
      }
    }

    /** There is no such name, or it has no records of that kind. */
    record None() implements Answer {}

    /** No answer, or an error. */
    record Failed(boolean timeout, String detail) implements Answer {}

    /** Not asked, because too many questions are open. */
    record Busy() implements Answer {}
  }

  /** The data of a record. */
  sealed interface Data {
    /** Of A and AAAA. */
    record Address(IpAddress ip) implements Data {}

    /**
     * Of SRV: a host that offers a service.
     *
     * @param priority lower first
     * @param weight share among those of the same priority; 0 is next to none
     * @param target a name without the dot at its end; empty says that there is no such service
     * @see <a href="https://www.rfc-editor.org/rfc/rfc2782">RFC 2782</a>
     */
    record Srv(int priority, int weight, int port, String target) implements Data {}

    /**
     * Of NAPTR: a service of a domain.
     *
     * @param order lower first; one of a higher order is of use only if none of a lower one is
     * @param preference lower first among the same order
     * @param flags "s" where {@code replacement} has SRV records
     * @param service "SIP+D2U" is UDP, "SIP+D2T" TCP, "SIPS+D2T" TLS
     * @param replacement a name without the dot at its end
     * @see <a href="https://www.rfc-editor.org/rfc/rfc3263#section-4.1">RFC 3263 4.1</a>
     */
    record Naptr(int order, int preference, String flags, String service, String replacement)
        implements Data {}
  }
}
