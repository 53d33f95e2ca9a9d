/** The event-plane. */
@NullMarked
package io.sippbx.event;

import org.jspecify.annotations.NullMarked;
