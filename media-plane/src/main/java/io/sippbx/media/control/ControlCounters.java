package io.sippbx.media.control;

/**
 * What the service has been through.
 *
 * @param streams open now
 * @param streamsOpened since the start
 * @param streamsRefused because of the limit
 * @param streamsTooSlow closed because the peer did not read
 * @param streamsInvalid closed because the peer said what the contract does not allow
 * @param queued messages that wait now, on all streams
 * @param queuedHighMark most that waited on one stream at once, of those open now
 * @param faults errors of ours
 */
public record ControlCounters(
    int streams,
    long streamsOpened,
    long streamsRefused,
    long streamsTooSlow,
    long streamsInvalid,
    int queued,
    int queuedHighMark,
    long faults) {}
