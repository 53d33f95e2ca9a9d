/**
 * The HTTP side of a process: health and readiness for those who run it, metrics for those who
 * watch it, and the admin API as gRPC and REST.
 */
@NullMarked
package io.sippbx.shared.operations;

import org.jspecify.annotations.NullMarked;
