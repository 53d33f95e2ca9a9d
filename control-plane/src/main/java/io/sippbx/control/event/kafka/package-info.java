/** Where committed events go when there is Kafka. */
@NullMarked
package io.sippbx.control.event.kafka;

import org.jspecify.annotations.NullMarked;
