/**
 * Time and turns as something injected: what runs on a real event loop in production and on virtual
 * time, in one thread, under the simulator.
 */
@NullMarked
package io.sippbx.control.loop;

import org.jspecify.annotations.NullMarked;
