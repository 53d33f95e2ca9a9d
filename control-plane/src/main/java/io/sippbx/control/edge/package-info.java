/**
 * The door: which loop a message belongs to, what is answered before any call or registration is
 * looked at (RFC 3261 8.2), and whose business the rest is.
 */
@NullMarked
package io.sippbx.control.edge;

import org.jspecify.annotations.NullMarked;
