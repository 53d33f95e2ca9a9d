/**
 * Who is called: from the dialled URI to groups of targets in the order in which they are tried.
 */
@NullMarked
package io.sippbx.control.routing;

import org.jspecify.annotations.NullMarked;
