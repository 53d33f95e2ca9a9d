/**
 * What a process tells of itself: its log, its metrics, its trace of SIP messages. Nothing here
 * blocks the one who tells: what cannot be written at once waits in a bounded queue, and what does
 * not fit there is dropped and counted.
 */
@NullMarked
package io.sippbx.shared.telemetry;

import org.jspecify.annotations.NullMarked;
