package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Via;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * What a request is matched to its server transaction by.
 *
 * <p>For a request without the cookie of RFC 3261 in its branch, {@code branch} is derived from
 * what RFC 2543 clients keep the same between a request, its repeats, its ACK and its CANCEL:
 * Request-URI, From tag, Call-ID, CSeq number and topmost Via (less what we added to it). The To
 * tag is left out, because in the ACK it is ours: the layer compares it there.
 *
 * @param branch of the topmost Via
 * @param sentBy host in lower case and port of the topmost Via; the transport's default port where
 *     none is written
 * @param method of the request that the transaction is for, never ACK
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-17.2.3">RFC 3261 17.2.3</a>
 */
public record ServerTransactionId(Branch branch, String sentBy, Method method) {

  // No cookie: it can never be the branch of an RFC 3261 client.
  private static final String DERIVED = "rfc2543-";
  private static final int DERIVED_BYTES = 16;

  /** Refuses ACK, which has no transaction of its own. */
  public ServerTransactionId {
    if (method.equals(Method.ACK)) {
      throw new IllegalArgumentException("Expected the method of a transaction, but got ACK");
    }
  }

  /** The transaction that a request is of; for an ACK, the INVITE's. */
  public static ServerTransactionId of(SipRequest request) {
    Via via = request.topVia();
    Method method = request.method().equals(Method.ACK) ? Method.INVITE : request.method();
    Branch branch =
        via.branch().filter(Branch::isRfc3261).orElseGet(() -> derivedBranch(request, via));
    String sentBy = via.host().toLowerCase(Locale.ROOT) + ":" + via.effectivePort();
    return new ServerTransactionId(branch, sentBy, method);
  }

  /** The INVITE transaction that a CANCEL with this id is about (9.2). */
  public ServerTransactionId ofInvite() {
    return new ServerTransactionId(branch, sentBy, Method.INVITE);
  }

  boolean isDerived() {
    return !branch.isRfc3261();
  }

  private static Branch derivedBranch(SipRequest request, Via via) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Expected SHA-256, which every Java has", e);
    }
    add(digest, request.uriBytes());
    add(digest, request.fromTag().map(Tag::value).orElse(""));
    add(digest, request.callId().value());
    add(digest, Long.toString(request.cSeq().number()));
    add(digest, via.withParams(via.params().without("received").without("rport")).toString());
    String hex = HexFormat.of().formatHex(digest.digest(), 0, DERIVED_BYTES);
    return new Branch(DERIVED + hex);
  }

  private static void add(MessageDigest digest, String text) {
    add(digest, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void add(MessageDigest digest, byte[] octets) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(octets.length).flip());
    digest.update(octets);
  }

  @Override
  public String toString() {
    return method + " " + branch + " of " + sentBy;
  }
}
