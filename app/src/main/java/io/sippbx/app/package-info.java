/** The app. */
@NullMarked
package io.sippbx.app;

import org.jspecify.annotations.NullMarked;
