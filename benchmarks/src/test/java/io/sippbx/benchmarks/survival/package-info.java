@NullMarked
package io.sippbx.benchmarks.survival;

import org.jspecify.annotations.NullMarked;
