/** Real servers for tests and benchmarks, each a process of its own that does not outlive ours. */
@NullMarked
package io.sippbx.servers;

import org.jspecify.annotations.NullMarked;
