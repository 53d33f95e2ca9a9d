/**
 * The control plane: a SIP edge of identical nodes. {@link io.sippbx.control.ControlPlane} wires
 * one.
 */
@NullMarked
package io.sippbx.control;

import org.jspecify.annotations.NullMarked;
