/** What every process that talks to Kafka needs: how it connects, and its topics. */
@NullMarked
package io.sippbx.shared.kafka;

import org.jspecify.annotations.NullMarked;
