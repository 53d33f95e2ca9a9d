/** Chooses the packet loop that fits the machine, and starts a relay on it. */
@NullMarked
package io.sippbx.media.relay.start;

import org.jspecify.annotations.NullMarked;
