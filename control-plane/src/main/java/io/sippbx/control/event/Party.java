package io.sippbx.control.event;

/**
 * A side of a call as users know it.
 *
 * @param user the user part of its URI, or the URI where it has none
 * @param uri as it stood in From, or as it was dialled
 * @param callId of this side's dialog; empty when there was none
 * @param ip where its signalling comes from or goes to, an IP literal; empty when not known
 */
public record Party(String user, String uri, String callId, String ip) {}
