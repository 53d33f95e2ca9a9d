/** What happened to calls, as values, and the port through which it leaves the control plane. */
@NullMarked
package io.sippbx.control.event;

import org.jspecify.annotations.NullMarked;
