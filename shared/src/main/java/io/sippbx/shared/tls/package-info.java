/** Who may speak to whom inside a cluster: mutual TLS between its own nodes. */
@NullMarked
package io.sippbx.shared.tls;

import org.jspecify.annotations.NullMarked;
