/**
 * Who is there: heartbeats, who is dead, who keeps which partition, and until when this node may
 * send for calls in flight.
 */
@NullMarked
package io.sippbx.control.cluster;

import org.jspecify.annotations.NullMarked;
