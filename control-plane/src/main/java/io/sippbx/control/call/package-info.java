/**
 * The B2BUA. What an input does to a call is decided by a pure function ({@link
 * io.sippbx.control.call.CallDecider}); {@link io.sippbx.control.call.CallRuntime} commits the
 * decision and then carries out its effects (law 2).
 *
 * <p>A call has no state enumeration of its own: it is the caller's leg, the callees' legs, a media
 * part and what is open between them. Leaf machines (a leg's INVITE, the end of a leg) have tables
 * under docs/state-machines; the policies compose them.
 */
@NullMarked
package io.sippbx.control.call;

import org.jspecify.annotations.NullMarked;
