package io.sippbx.control.sip.message;

/**
 * A header field as it came.
 *
 * @param name as written, perhaps the compact form
 * @param value as written, folds included, without the white space around it
 */
public record HeaderField(String name, String value) {}
