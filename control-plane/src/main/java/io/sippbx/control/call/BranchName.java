package io.sippbx.control.call;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.Optional;

/**
 * The branch of a request of ours within a call: it names the call, the node and the node's start,
 * so that a response finds its way without a look-up, and is unique by the call's own counter.
 *
 * @param number counts the requests of the call, from 0
 */
public record BranchName(CallKey call, int number, Incarnation incarnation, NodeId node) {

  private static final String COOKIE = "z9hG4bK";
  private static final int HEX = 16;

  /** Which start of which node sent the request. */
  public Member sender() {
    return new Member(node, incarnation);
  }

  /** The branch as it stands in the Via. */
  public Branch branch() {
    return new Branch(COOKIE + call + "." + number + "." + incarnation + "." + node);
  }

  /** The parts of a branch, if it is one of ours. */
  public static Optional<BranchName> of(Branch branch) {
    String text = branch.value();
    if (!text.startsWith(COOKIE)) {
      return Optional.empty();
    }
    int numberStart = COOKIE.length() + CallKey.LENGTH + 1;
    int numberEnd = text.indexOf('.', numberStart);
    int nodeStart = numberEnd + 1 + HEX + 1;
    if (numberEnd < 0
        || numberEnd - numberStart > 9
        || text.length() <= nodeStart
        || text.charAt(numberStart - 1) != '.'
        || text.charAt(nodeStart - 1) != '.') {
      return Optional.empty();
    }
    Optional<CallKey> call = CallKey.prefixOf(text, COOKIE.length());
    try {
      int number = Integer.parseInt(text, numberStart, numberEnd, 10);
      long incarnation = Long.parseUnsignedLong(text, numberEnd + 1, nodeStart - 1, 16);
      var node = new NodeId(text.substring(nodeStart));
      return call.map(key -> new BranchName(key, number, new Incarnation(incarnation), node));
    } catch (IllegalArgumentException e) {
      // Not in our form after all: somebody else's branch.
      return Optional.empty();
    }
  }
}
