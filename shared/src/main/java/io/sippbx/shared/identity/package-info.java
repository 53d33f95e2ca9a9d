/** Who is who: the one key of a call, nodes and their incarnations. */
@NullMarked
package io.sippbx.shared.identity;

import org.jspecify.annotations.NullMarked;
