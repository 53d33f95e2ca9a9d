package io.sippbx.benchmarks.survival;

import java.util.Locale;

/** Where a call stands when the victim dies. */
public enum Phase {
  /** The callee has got the INVITE and has said nothing, not even 100. */
  INVITE_SENT("INVITE sent", false),
  /** The caller has got the callee's 180. */
  RINGING("180", false),
  /** The caller has got a 183 with a session description, and both hear each other. */
  EARLY_MEDIA("early media", true),
  /** The caller has got the 200 and has not acknowledged it. */
  NOT_ACKNOWLEDGED("200 not ACKed", true),
  /** Nothing is open, and has not been for some seconds. */
  UP("up", true),
  /** One phone has sent a re-INVITE; the other has it and has said no more than 100. */
  REINVITE("re-INVITE in progress", true),
  /** The caller has cancelled and was told so; the callee has the CANCEL and has not sent 487. */
  CANCEL("CANCEL in progress", false),
  /** One phone has hung up; the other has the BYE and has not answered it. */
  BYE("BYE in progress", false);

  private final String title;
  private final boolean hasMedia;

  Phase(String title, boolean hasMedia) {
    this.title = title;
    this.hasMedia = hasMedia;
  }

  /** As the table has it. */
  public String title() {
    return title;
  }

  /** Whether both phones hear each other and go on to do so, so that silence means something. */
  public boolean hasMedia() {
    return hasMedia;
  }

  /** As options have it. */
  String option() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
