/** The streams of the mesh by gRPC. */
@NullMarked
package io.sippbx.control.mesh.grpc;

import org.jspecify.annotations.NullMarked;
