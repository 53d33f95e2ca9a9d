/** Tests of the packet path, over loopback and without sockets. */
@NullMarked
package io.sippbx.media.relay;

import org.jspecify.annotations.NullMarked;
