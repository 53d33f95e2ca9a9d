/**
 * Call detail records: for each call that has ended one line of JSON, in files by date. What a
 * record says is in docs/CDR.md.
 */
@NullMarked
package io.sippbx.event.cdr;

import org.jspecify.annotations.NullMarked;
