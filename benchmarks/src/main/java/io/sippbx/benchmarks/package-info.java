/** Micro-benchmarks of what runs for each message or packet (JMH). */
@NullMarked
package io.sippbx.benchmarks;

import org.jspecify.annotations.NullMarked;
