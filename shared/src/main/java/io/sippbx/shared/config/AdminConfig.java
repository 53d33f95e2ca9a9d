package io.sippbx.shared.config;

import java.util.Optional;

/**
 * Section {@code admin}: who may use the admin API.
 *
 * @param token that requests must bear; empty: requests from this machine need none, and others are
 *     refused
 */
public record AdminConfig(Optional<Secret<String>> token, int maxRequestsPerSecond) {}
