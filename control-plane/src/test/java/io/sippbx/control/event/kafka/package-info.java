/** Tests of the way to Kafka. */
@NullMarked
package io.sippbx.control.event.kafka;

import org.jspecify.annotations.NullMarked;
