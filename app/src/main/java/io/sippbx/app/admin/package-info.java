/** The command line of the admin API: {@code sip-pbx admin}. */
@NullMarked
package io.sippbx.app.admin;

import org.jspecify.annotations.NullMarked;
