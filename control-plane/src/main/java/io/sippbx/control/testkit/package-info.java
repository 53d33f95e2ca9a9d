/**
 * Virtual time, for tests and for the simulator: what runs on it runs in one thread, and the same
 * every time. In the product's sources since the simulator is a program of its own; of the product
 * only the warm-up of a node uses it.
 */
@NullMarked
package io.sippbx.control.testkit;

import org.jspecify.annotations.NullMarked;
