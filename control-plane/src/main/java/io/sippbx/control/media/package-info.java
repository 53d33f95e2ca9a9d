/**
 * What calls want of media nodes: the port {@link io.sippbx.control.media.MediaPlane} and the
 * desired state of a session as values.
 */
@NullMarked
package io.sippbx.control.media;

import org.jspecify.annotations.NullMarked;
