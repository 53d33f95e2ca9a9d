package io.sippbx.system;

/**
 * A scenario of sipp, step by step. What only one test does stands in that test, in these words;
 * what many do is a file among the resources.
 */
final class Script {

  private static final String SDP =
      """
      v=0
      o=phone 4711 %d IN IP[local_ip_type] [media_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio %%rtp%% RTP/AVP 0 8 101
      a=rtpmap:0 PCMU/8000
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-15
      a=%s
      """;

  private final StringBuilder steps = new StringBuilder();
  private final boolean calls;
  private int cSeq;
  private int sdpVersion;
  private int messages;

  private Script(boolean calls) {
    this.calls = calls;
  }

  /** One who calls. */
  static Script caller() {
    return new Script(true);
  }

  /** One who is called. */
  static Script callee() {
    return new Script(false);
  }

  private String sdp(String direction) {
    return SDP.formatted(++sdpVersion, direction);
  }

  private Script message(String head, String body, boolean repeats) {
    messages++;
    steps.append(repeats ? "<send retrans=\"500\"><![CDATA[\n" : "<send><![CDATA[\n");
    steps.append(head);
    if (body.isEmpty()) {
      steps.append("Content-Length: 0\n\n");
    } else {
      steps.append("Content-Type: application/sdp\nContent-Length: [len]\n\n").append(body);
    }
    steps.append("]]></send>\n");
    return this;
  }

  private String request(String method, String uri, int number, String branch) {
    String from =
        calls
            ? "From: \"Alice\" <sip:%caller%@[local_ip]>;tag=alice[pid]x[call_number]\n"
            : "From:[$me];tag=bob[pid]x[call_number]\n";
    String to = calls ? "To: <sip:%callee%@[remote_ip]>[peer_tag_param]\n" : "To:[$peer]\n";
    return method
        + " "
        + uri
        + " SIP/2.0\n"
        + "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch="
        + branch
        + "\nMax-Forwards: 70\n"
        + from
        + to
        + "Call-ID: [call_id]\nCSeq: "
        + number
        + " "
        + method
        + "\nContact: <sip:phone@[local_ip]:[local_port];transport=[transport]>\n";
  }

  /** The first INVITE, with an offer. */
  Script invite() {
    return message(
        request("INVITE", "sip:%callee%@[remote_ip]:[remote_port]", ++cSeq, "[branch]"),
        sdp("sendrecv"),
        true);
  }

  /** An INVITE within the dialog. */
  Script reinvite(String direction) {
    return message(request("INVITE", "[next_url]", ++cSeq, "[branch]"), sdp(direction), true);
  }

  /** Acknowledges a 2xx. */
  Script ack() {
    return message(request("ACK", "[next_url]", cSeq, "[branch]"), "", false);
  }

  /** Acknowledges a refusal of the INVITE that was sent so many steps before. */
  Script ackRefusal(int stepsBefore) {
    return message(request("ACK", "[next_url]", cSeq, "[branch-" + stepsBefore + "]"), "", false);
  }

  /** Hangs up, and gets its answer. */
  Script hangUp() {
    message(request("BYE", "[next_url]", ++cSeq, "[branch]"), "", true);
    return optional(100).expect(200);
  }

  /** Waits for the BYE of the other side, and answers it. */
  Script isHungUp() {
    steps.append("<recv request=\"BYE\"/>\n");
    return respond("200 OK", "", false);
  }

  Script optional(int status) {
    messages++;
    steps.append("<recv response=\"%d\" optional=\"true\"/>\n".formatted(status));
    return this;
  }

  Script expect(int status) {
    messages++;
    steps.append("<recv response=\"%d\" rrs=\"true\"/>\n".formatted(status));
    return this;
  }

  /** A response in which the pattern is found. */
  Script expect(int status, String pattern) {
    messages++;
    steps.append(
        """
        <recv response="%d" rrs="true"><action>
          <ereg regexp="%s" search_in="msg" check_it="true" assign_to="found"/>
        </action></recv>
        """
            .formatted(status, pattern));
    return this;
  }

  /** A request in which the pattern is found, and what is needed to answer it later. */
  Script expect(String method, String pattern) {
    messages++;
    steps.append(
        """
        <recv request="%s" rrs="true"><action>
          <ereg regexp="%s" search_in="msg" check_it="true" assign_to="found"/>
          <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
          <ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>
          <ereg regexp=".*" search_in="hdr" header="To:" assign_to="me"/>
          <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
        </action></recv>
        """
            .formatted(method, pattern));
    return this;
  }

  Script expectAck() {
    messages++;
    steps.append("<recv request=\"ACK\"/>\n");
    return this;
  }

  /** An ACK that comes again is heard, and means nothing. */
  Script mayBeAcknowledgedAgain() {
    messages++;
    steps.append("<recv request=\"ACK\" optional=\"true\"/>\n");
    return this;
  }

  /** Answers the request that came last. */
  private Script respond(String status, String body, boolean repeats) {
    return message(
        "SIP/2.0 "
            + status
            + "\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n",
        body,
        repeats);
  }

  private String answerToInvite(String status, String moreOfTo, String contact) {
    return "SIP/2.0 "
        + status
        + "\nVia:[$via]\nFrom:[$peer]\nTo:[$me]"
        + moreOfTo
        + "\nCall-ID: [call_id]\nCSeq:[$cseq]\nContact: <"
        + contact
        + ">\n";
  }

  private static final String OUR_TAG = ";tag=bob[pid]x[call_number]";
  private static final String OUR_CONTACT =
      "sip:phone@[local_ip]:[local_port];transport=[transport]";

  /** Answers the first INVITE. */
  Script answer(String status) {
    return message(answerToInvite(status, OUR_TAG, OUR_CONTACT), "", status.startsWith("2"));
  }

  /** Answers the first INVITE with a session description. */
  Script answerWithSdp(String status) {
    return message(
        answerToInvite(status, OUR_TAG, OUR_CONTACT), sdp("sendrecv"), status.startsWith("2"));
  }

  /** Sends the caller elsewhere. */
  Script redirect(String contact) {
    return message(answerToInvite("302 Moved Temporarily", OUR_TAG, contact), "", false);
  }

  /** Answers the last INVITE within the dialog. */
  Script answerReinvite(String status, String direction) {
    return message(
        answerToInvite(status, "", OUR_CONTACT),
        direction.isEmpty() ? "" : sdp(direction),
        status.startsWith("2"));
  }

  Script pauseMs(int milliseconds) {
    messages++;
    steps.append("<pause milliseconds=\"%d\"/>\n".formatted(milliseconds));
    return this;
  }

  /** How many steps there are so far: for {@link #ackRefusal}. */
  int length() {
    return messages;
  }

  /** The scenario as sipp wants it. */
  String text() {
    return """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE scenario SYSTEM "sipp.dtd">
        <scenario name="script">
        %s<timewait milliseconds="200"/>
        <Reference variables="%s"/>
        </scenario>
        """
        .formatted(
            steps.toString(),
            !steps.toString().contains("assign_to=\"via\"") ? "found" : "found,via,peer,me,cseq");
  }
}
