/** Addresses as values: no sockets, no name resolution. */
@NullMarked
package io.sippbx.shared.net;

import org.jspecify.annotations.NullMarked;
