/**
 * What becomes of calls when processes are killed: a fleet of real processes, calls held in each
 * phase, a victim, and a table of what was kept.
 */
@NullMarked
package io.sippbx.benchmarks.survival;

import org.jspecify.annotations.NullMarked;
