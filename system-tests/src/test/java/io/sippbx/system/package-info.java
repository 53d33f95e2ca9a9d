/**
 * Black-box tests: the built executable as child processes, and real SIP user agents (sipp,
 * baresip) that call each other through it. Nothing here sees a class of the product.
 */
@NullMarked
package io.sippbx.system;

import org.jspecify.annotations.NullMarked;
