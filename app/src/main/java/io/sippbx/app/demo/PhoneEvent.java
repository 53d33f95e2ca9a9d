package io.sippbx.app.demo;

import io.sippbx.control.sip.message.SipRequest;

/** What a phone tells the script. */
sealed interface PhoneEvent {

  /** As the end of a sentence that says what was waited for: "but there was ...". */
  String text();

  /** A REGISTER was answered with 200. */
  record Registered() implements PhoneEvent {
    @Override
    public String text() {
      return "its registration was confirmed";
    }
  }

  /** The other side is being alerted. */
  record Ringing() implements PhoneEvent {
    @Override
    public String text() {
      return "a 180 came";
    }
  }

  /** Our INVITE, the first or one within the call, was answered with 200. */
  record Answered(PhoneMedia theirs) implements PhoneEvent {
    @Override
    public String text() {
      return "a 200 to its INVITE came";
    }
  }

  /** There is an incoming call; its INVITE, and the audio that it offers. */
  record Rings(SipRequest invite, PhoneMedia theirs) implements PhoneEvent {
    @Override
    public String text() {
      return "an INVITE came";
    }
  }

  /** Our 200 to an INVITE was acknowledged. */
  record Acknowledged() implements PhoneEvent {
    @Override
    public String text() {
      return "an ACK came";
    }
  }

  /** A re-INVITE of the other side was answered with 200. */
  record Changed(PhoneMedia theirs) implements PhoneEvent {
    @Override
    public String text() {
      return "a re-INVITE came";
    }
  }

  /** The other side has hung up. */
  record HungUp() implements PhoneEvent {
    @Override
    public String text() {
      return "a BYE came";
    }
  }

  /** Our BYE was answered. */
  record Over() implements PhoneEvent {
    @Override
    public String text() {
      return "its BYE was answered";
    }
  }

  /** Something went wrong; a sentence without the phone's name. */
  record Trouble(String text) implements PhoneEvent {}
}
