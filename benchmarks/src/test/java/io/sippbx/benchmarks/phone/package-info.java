@NullMarked
package io.sippbx.benchmarks.phone;

import org.jspecify.annotations.NullMarked;
