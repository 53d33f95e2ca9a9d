/**
 * The stored form of calls and registrations: from the domain's records to {@code sippbx.state.v1}
 * and back.
 *
 * <p>A record is a head, which changes with each commit, and blobs, which are written once: whole
 * messages and session descriptions. What a newer node wrote and this one does not know is carried
 * at its place.
 */
@NullMarked
package io.sippbx.control.store.state;

import org.jspecify.annotations.NullMarked;
