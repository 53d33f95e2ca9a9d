/**
 * Where the state of calls and registrations lives between two inputs: the ports, their commit
 * contract (law 2), and the in-memory implementation.
 */
@NullMarked
package io.sippbx.control.store;

import org.jspecify.annotations.NullMarked;
