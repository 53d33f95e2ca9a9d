/**
 * What an administrator asks of a control node: the calls, registrations and nodes of the cluster,
 * and what is to be done with them. The gRPC services of {@code sippbx.admin.v1}, over ports.
 */
@NullMarked
package io.sippbx.control.admin;

import org.jspecify.annotations.NullMarked;
