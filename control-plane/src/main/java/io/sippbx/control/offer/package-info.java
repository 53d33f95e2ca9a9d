/**
 * Offer and answer: what each leg of a call is told of the session, and what the media node is told
 * to relay (RFC 3264, 8866, 3311, 6337).
 *
 * <p>{@link io.sippbx.control.offer.OfferAnswer} says, for one dialog, whether a description is an
 * offer or an answer and who owes one; {@link io.sippbx.control.offer.LegSdp} turns what one leg
 * sent into what the other is told; {@link io.sippbx.control.offer.MediaPlan} turns what both sent
 * into the streams of the media session. Pure: values in, values out.
 */
@NullMarked
package io.sippbx.control.offer;

import org.jspecify.annotations.NullMarked;
