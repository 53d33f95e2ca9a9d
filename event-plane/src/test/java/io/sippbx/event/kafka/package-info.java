/** Tests of how events come from Kafka. */
@NullMarked
package io.sippbx.event.kafka;

import org.jspecify.annotations.NullMarked;
