/** Tests of the packet loop by system calls. */
@NullMarked
package io.sippbx.media.relay.ffm;

import org.jspecify.annotations.NullMarked;
