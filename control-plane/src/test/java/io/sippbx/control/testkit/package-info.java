/** Doubles that the control plane's tests share, written by hand and tested themselves. */
@NullMarked
package io.sippbx.control.testkit;

import org.jspecify.annotations.NullMarked;
