package io.sippbx.media.relay;

/**
 * What was counted of all sessions since the start, ended ones included.
 *
 * @param sessions open now
 * @param sockets bound now
 * @param rtpPackets valid RTP packets taken
 * @param rtpBytes their UDP payload
 * @param rtcpPackets valid RTCP datagrams taken
 * @param otherPackets other datagrams taken: DTLS, and those of streams that are not RTP
 * @param sentPackets all that was sent on
 * @param sentBytes their UDP payload
 * @param droppedStray see {@link SessionCounts.EndCounts}
 * @param droppedInvalid see {@link SessionCounts.EndCounts}
 * @param droppedStun see {@link SessionCounts.EndCounts}
 * @param droppedDirection see {@link SessionCounts.EndCounts}
 * @param droppedUnsent see {@link SessionCounts.EndCounts}
 * @param droppedByKernel see {@link SessionCounts.EndCounts}
 * @param bindFailures sessions that were not opened because a socket could not be bound
 * @param refusals sessions that were refused by the limit
 * @param defects answers and events whose receiver threw, and other defects; the first of a worker
 *     is logged
 */
public record RelayCounts(
    int sessions,
    int sockets,
    long rtpPackets,
    long rtpBytes,
    long rtcpPackets,
    long otherPackets,
    long sentPackets,
    long sentBytes,
    long droppedStray,
    long droppedInvalid,
    long droppedStun,
    long droppedDirection,
    long droppedUnsent,
    long droppedByKernel,
    long bindFailures,
    long refusals,
    long defects) {}
