/** The media-plane. */
@NullMarked
package io.sippbx.media;

import org.jspecify.annotations.NullMarked;
