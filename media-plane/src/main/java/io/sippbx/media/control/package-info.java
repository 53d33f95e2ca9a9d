/**
 * The gRPC service {@code MediaControl}: what control nodes tell this node to hold, and what it
 * tells them. See {@code media.proto} and docs/media-control.md.
 *
 * <p>Everything runs on the node's loop, which is the executor of the gRPC server: no locks.
 */
@NullMarked
package io.sippbx.media.control;

import org.jspecify.annotations.NullMarked;
