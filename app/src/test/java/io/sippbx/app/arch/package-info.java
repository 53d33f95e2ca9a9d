/** The architecture as tests: which way the planes and rings depend, and what each ring may see. */
@NullMarked
package io.sippbx.app.arch;

import org.jspecify.annotations.NullMarked;
