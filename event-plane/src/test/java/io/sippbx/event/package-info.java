/** Tests of what all of the event plane shares. */
@NullMarked
package io.sippbx.event;

import org.jspecify.annotations.NullMarked;
