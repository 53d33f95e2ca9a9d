/**
 * Session descriptions: kept line by line as they came, read through typed views, and changed one
 * line at a time (RFC 8866).
 *
 * <p>Pure: no I/O, no clock, no randomness. Text is held as ISO 8859-1, one character an octet, so
 * that what is not understood is written as it came, whatever its character set.
 */
@NullMarked
package io.sippbx.shared.sdp;

import org.jspecify.annotations.NullMarked;
