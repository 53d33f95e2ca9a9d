package io.sippbx.control.media;

/**
 * The media nodes in numbers, as this process sees them.
 *
 * @param healthy nodes that are heard
 * @param suspected nodes that are silent for a moment or are being connected to again
 * @param lost nodes that are silent for long
 * @param placeable nodes that take new calls
 * @param sessionsKnown sessions that were applied from here
 * @param inFlight requests that wait for an answer
 * @param releasesKept releases that are not acknowledged and wait to be sent again
 * @param connects streams that were opened since the start
 * @param disconnects streams that ended since the start
 * @param timeouts requests that were answered with "unreachable"
 * @param overloads requests that were refused because too many waited
 * @param releasesDropped releases that were given up
 * @param sessionsLost sessions that were told to be lost
 * @param sessionsNotKnown sessions that were not remembered, for want of room
 * @param conflicts nodes that were refused because another one has their name
 * @param malformed messages of nodes that made no sense
 */
public record MediaPlaneStats(
    int healthy,
    int suspected,
    int lost,
    int placeable,
    int sessionsKnown,
    int inFlight,
    int releasesKept,
    long connects,
    long disconnects,
    long timeouts,
    long overloads,
    long releasesDropped,
    long sessionsLost,
    long sessionsNotKnown,
    long conflicts,
    long malformed) {}
