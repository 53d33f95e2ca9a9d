@NullMarked
package io.sippbx.shared.tls;

import org.jspecify.annotations.NullMarked;
