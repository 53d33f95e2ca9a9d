@NullMarked
package io.sippbx.event.webhook.http;

import org.jspecify.annotations.NullMarked;
