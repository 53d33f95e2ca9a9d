/** Webhooks: events posted to receivers, at least once, and in order for each call. */
@NullMarked
package io.sippbx.event.webhook;

import org.jspecify.annotations.NullMarked;
