@NullMarked
package io.sippbx.event.webhook;

import org.jspecify.annotations.NullMarked;
