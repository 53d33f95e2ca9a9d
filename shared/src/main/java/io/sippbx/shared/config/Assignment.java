package io.sippbx.shared.config;

/**
 * A value from the command line.
 *
 * @param key with dots, as in {@code sip.listen_port}
 * @param option as the user typed it, for messages: {@code --port}
 */
public record Assignment(String key, String value, String option) {}
