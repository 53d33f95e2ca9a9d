@NullMarked
package io.sippbx.servers;

import org.jspecify.annotations.NullMarked;
