/**
 * Bindings of addresses-of-record to contacts, and what a REGISTER does to them (RFC 3261 10, RFC
 * 3327, parts of RFC 5626). Pure: the record goes in, the next record and the answer come out.
 */
@NullMarked
package io.sippbx.control.registrar.binding;

import org.jspecify.annotations.NullMarked;
