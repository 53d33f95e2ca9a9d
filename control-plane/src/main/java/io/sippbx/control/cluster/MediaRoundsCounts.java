package io.sippbx.control.cluster;

/**
 * What was done for media nodes since the start.
 *
 * @param moved calls that were told to leave a node, those told again among them
 * @param restored calls that were told that their session is lost
 * @param orphansReleased sessions that no record named
 * @param unavailable questions that the store or a node did not answer
 */
public record MediaRoundsCounts(
    long moved, long restored, long orphansReleased, long unavailable) {}
