/** How events come from Kafka, and what is remembered of how far they have come. */
@NullMarked
package io.sippbx.event.kafka;

import org.jspecify.annotations.NullMarked;
