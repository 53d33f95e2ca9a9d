/**
 * The sessions that the node holds: {@link io.sippbx.media.session.MediaSessions} makes them what
 * control nodes say that they shall be, and ends by itself those that nobody asks for any more.
 *
 * <p>All of it is confined to one thread, the {@link io.sippbx.media.session.NodeLoop}; time comes
 * from there, and answers of the relay come back to it.
 */
@NullMarked
package io.sippbx.media.session;

import org.jspecify.annotations.NullMarked;
