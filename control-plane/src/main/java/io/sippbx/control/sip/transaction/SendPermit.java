package io.sippbx.control.sip.transaction;

/**
 * Asked before a transaction sends what nobody has asked it for just now: a request, a request or a
 * final response again. What answers a peer's message is not asked about, nor is what only ends
 * (BYE, CANCEL): both are monotone, so two nodes doing it do no harm. Where it is refused the
 * transaction goes on, and asks again at its next turn. Asked on the layer's loop.
 */
public interface SendPermit {

  /** For what is nobody else's. */
  SendPermit ALWAYS = () -> true;

  /** Whether it may be sent now. */
  boolean maySend();
}
