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
 * @param heard what came of the other phone
 */
record PhoneFacts(
    String name,
    Endpoint sip,
    Endpoint rtp,
    int challenges,
    Tone tone,
    int sent,
    Reception.Reading heard) {}
