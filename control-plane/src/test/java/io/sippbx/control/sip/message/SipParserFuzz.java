package io.sippbx.control.sip.message;

/** What Jazzer calls with each input; see {@link SipParserFuzzTest}. */
public final class SipParserFuzz {

  private SipParserFuzz() {}

  /** Checks all that holds for any octets. */
  public static void fuzzerTestOneInput(byte[] octets) {
    ParserProperties.check(octets);
  }
}
