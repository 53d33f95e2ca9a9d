/**
 * The registrar at run time: takes REGISTER requests to their records and back, tells where a user
 * is to be reached, and settles who sends a request. What is decided is in {@code binding} and in
 * {@code sip.auth}.
 */
@NullMarked
package io.sippbx.control.registrar;

import org.jspecify.annotations.NullMarked;
