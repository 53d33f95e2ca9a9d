/**
 * Digest authentication (RFC 3261 22, RFC 7616, RFC 8760), both sides, and who may use the server.
 *
 * <p>Pure but for {@link io.sippbx.control.sip.auth.NonceMemory}, which remembers. Nothing here
 * keeps a table of nonces: a nonce is signed with the secret of the cluster, so that any node can
 * check it.
 */
@NullMarked
package io.sippbx.control.sip.auth;

import org.jspecify.annotations.NullMarked;
