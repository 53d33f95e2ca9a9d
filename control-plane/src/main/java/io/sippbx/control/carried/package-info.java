/** What nodes of another version added to the records that all share. */
@NullMarked
package io.sippbx.control.carried;

import org.jspecify.annotations.NullMarked;
