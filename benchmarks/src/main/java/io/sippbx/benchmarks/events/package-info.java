/** Measures the way of events: from the commit by outbox and Kafka to the CDR file. */
@NullMarked
package io.sippbx.benchmarks.events;

import org.jspecify.annotations.NullMarked;
