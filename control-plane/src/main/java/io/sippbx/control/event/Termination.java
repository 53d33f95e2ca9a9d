package io.sippbx.control.event;

/**
 * How a call ended. The same value feeds CDR, metric label, log line and webhook.
 *
 * @param sipStatus the final status towards the caller's INVITE; 0 when there was none
 */
public record Termination(Result result, Reason reason, int sipStatus) {

  /** The closed list of results. */
  public enum Result {
    /** It was answered, and ended. */
    COMPLETED("completed"),
    /** The caller gave up before the answer. */
    CANCELLED("cancelled"),
    BUSY("busy"),
    NO_ANSWER("no_answer"),
    /** The callee would not. */
    REJECTED("rejected"),
    /** It could not be set up. */
    FAILED("failed");

    private final String text;

    Result(String text) {
      this.text = text;
    }

    /** As it stands in records and labels. */
    public String text() {
      return text;
    }
  }

  /** The closed list of reasons. */
  public enum Reason {
    /** One of the parties hung up. */
    NORMAL("normal"),
    CANCELLED("cancelled"),
    BUSY("busy"),
    NO_ANSWER("no_answer"),
    DECLINED("declined"),
    /** Nobody is registered under the dialled address. */
    NOT_FOUND("not_found"),
    /** The callee was known and could not be reached. */
    UNREACHABLE("unreachable"),
    /** Any other final response from 300 to 699. */
    REFUSED("refused"),
    /** The session descriptions do not go together, or are not well-formed. */
    NOT_ACCEPTABLE("not_acceptable"),
    /** No media node would take the session. */
    NO_MEDIA("no_media"),
    /** No packet for media.rtp_timeout. */
    MEDIA_TIMEOUT("media_timeout"),
    /** The media session was lost. */
    MEDIA_LOST("media_lost"),
    /** The caller never acknowledged the answer. */
    NO_ACK("no_ack"),
    /** sip.max_call_duration. */
    MAX_DURATION("max_duration"),
    /** A side answered 481 or 408, or nothing, within the dialog. */
    DIALOG_LOST("dialog_lost"),
    /** An administrator ended it. */
    ADMINISTRATOR("administrator"),
    /** The store did not answer, and who called was told so. */
    STORE_UNAVAILABLE("store_unavailable"),
    /** This node shut down. */
    SHUTDOWN("shutdown"),
    /** A defect of ours: counted, and the call was ended. */
    INTERNAL_ERROR("internal_error");

    private final String text;

    Reason(String text) {
      this.text = text;
    }

    /** As it stands in records and labels. */
    public String text() {
      return text;
    }
  }
}
