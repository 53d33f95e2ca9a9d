/** Sessions on a real media node for a load of RTP that another program sends. */
@NullMarked
package io.sippbx.benchmarks.relay;

import org.jspecify.annotations.NullMarked;
