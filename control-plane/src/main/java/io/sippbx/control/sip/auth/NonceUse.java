package io.sippbx.control.sip.auth;

import java.time.Instant;

/**
 * One use of a nonce of ours by credentials that were right.
 *
 * @param nonceId names the nonce: part of its signature
 * @param issuedAt when a node of the cluster made it
 * @param expiresAt from when on it is stale
 * @param count the client's nc, from 1
 */
public record NonceUse(long nonceId, Instant issuedAt, Instant expiresAt, long count) {}
