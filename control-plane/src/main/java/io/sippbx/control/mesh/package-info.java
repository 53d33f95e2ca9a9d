/**
 * The mesh between control nodes: messages that came to one node and are another's, and messages
 * that can go out only by a connection that another node holds.
 */
@NullMarked
package io.sippbx.control.mesh;

import org.jspecify.annotations.NullMarked;
