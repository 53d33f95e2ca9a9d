/** Doubles that the media plane's tests share, written by hand and tested themselves. */
@NullMarked
package io.sippbx.media.testkit;

import org.jspecify.annotations.NullMarked;
