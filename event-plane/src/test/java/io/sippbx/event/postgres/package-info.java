/** Tests of call detail records in PostgreSQL. */
@NullMarked
package io.sippbx.event.postgres;

import org.jspecify.annotations.NullMarked;
