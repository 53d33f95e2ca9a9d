/** Posting over HTTP, and to whom that is allowed. */
@NullMarked
package io.sippbx.event.webhook.http;

import org.jspecify.annotations.NullMarked;
