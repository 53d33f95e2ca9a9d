package io.sippbx.control.sip.transaction;

/**
 * What a {@link TransactionLayer} has done since its start, as one value.
 *
 * @param created transactions begun, those taken over from another node included
 * @param live transactions open now
 * @param retransmissionsIn requests that came again and were not passed up, and final responses
 *     that were absorbed
 * @param retransmissionsOut requests, responses and ACKs sent again
 * @param timeouts client transactions failed by {@link Failure#TIMEOUT} and server transactions
 *     ended without an ACK or an answer
 * @param transportFailures messages of transactions, and ACKs of the user, that were not sent
 * @param refusedRequests received requests for which there was no room
 * @param refusedSends requests of ours for which there was no room
 * @param malformed messages dropped because they cannot belong to any transaction
 * @param strayResponses responses without a transaction
 * @param lateAnswers answers of the transaction user that no transaction took
 */
public record TransactionCounts(
    Kinds created,
    Kinds live,
    long retransmissionsIn,
    long retransmissionsOut,
    long timeouts,
    long transportFailures,
    long refusedRequests,
    long refusedSends,
    long malformed,
    long strayResponses,
    long lateAnswers) {

  /** A figure for each kind of transaction. */
  public record Kinds(
      long inviteClient, long nonInviteClient, long inviteServer, long nonInviteServer) {

    /** All kinds together. */
    public long total() {
      return inviteClient + nonInviteClient + inviteServer + nonInviteServer;
    }

    private Kinds plus(Kinds other) {
      return new Kinds(
          inviteClient + other.inviteClient,
          nonInviteClient + other.nonInviteClient,
          inviteServer + other.inviteServer,
          nonInviteServer + other.nonInviteServer);
    }
  }

  /** The sum, for several layers of a node. */
  public TransactionCounts plus(TransactionCounts other) {
    return new TransactionCounts(
        created.plus(other.created),
        live.plus(other.live),
        retransmissionsIn + other.retransmissionsIn,
        retransmissionsOut + other.retransmissionsOut,
        timeouts + other.timeouts,
        transportFailures + other.transportFailures,
        refusedRequests + other.refusedRequests,
        refusedSends + other.refusedSends,
        malformed + other.malformed,
        strayResponses + other.strayResponses,
        lateAnswers + other.lateAnswers);
  }
}
