/** Tests of the simulation itself, and the bounded number of seeds that each build runs. */
@NullMarked
package io.sippbx.simulation;

import org.jspecify.annotations.NullMarked;
