package io.sippbx.app.demo;

import io.sippbx.shared.net.Endpoint;

/**
 * A phone in numbers, when it is silent again.
 *
 * @param name its user
 * @param sip where it listens for SIP
 * @param rtp where it listens for media
 * @param challenges that it has answered
 * @param tone what it said
 * @param sent packets
 * @param lastSequence the number of the last of them
 * @param heard what came of the other phone
 */
record PhoneFacts(
    String name,
    Endpoint sip,
    Endpoint rtp,
    int challenges,
    Tone tone,
    int sent,
    int lastSequence,
    Reception.Reading heard) {

  private static final int SEQUENCE_NUMBERS = 1 << 16;

  /** Packets of the other phone that are missing within its talk, or at its end. */
  int lostFrom(PhoneFacts other) {
    int atTheEnd = (other.lastSequence - heard.lastSequence()) & (SEQUENCE_NUMBERS - 1);
    return heard.lost() + (heard.packets() == 0 ? 0 : atTheEnd);
  }

  /** Packets that are missing where it began to talk: said before the path was open. */
  int clippedFrom(PhoneFacts other) {
    return other.sent - heard.packets() - lostFrom(other);
  }
}
