/**
 * Phones for whole-system measurements: raw SIP over UDP and TCP and RTP, many of them on one
 * thread. They share nothing with the product, so that an error of its parser does not hide in
 * them.
 */
@NullMarked
package io.sippbx.benchmarks.phone;

import org.jspecify.annotations.NullMarked;
