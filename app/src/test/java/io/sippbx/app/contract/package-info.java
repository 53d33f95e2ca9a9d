/** The planes through each other's real ends: what one says is what the other understands. */
@NullMarked
package io.sippbx.app.contract;

import org.jspecify.annotations.NullMarked;
