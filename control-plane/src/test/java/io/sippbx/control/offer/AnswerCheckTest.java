package io.sippbx.control.offer;

import static io.sippbx.control.offer.Sdps.peer;
import static io.sippbx.control.offer.Sdps.sdp;
import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.offer.AnswerCheck.Line;
import io.sippbx.control.offer.AnswerCheck.Outcome;
import io.sippbx.shared.sdp.SessionDescription;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("an answer held against its offer (RFC 3264 6)")
class AnswerCheckTest {

  private static final SessionDescription OFFER =
      peer(
          "203.0.113.20",
          "m=audio 20000 RTP/AVPF 0 96\na=rtpmap:96 opus/48000/2\nm=video 0 RTP/AVP 31\n");

  @ParameterizedTest(name = "{0} -> {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "m=audio 5000 RTP/AVPF 0 | ACCEPTED | FITS",
        "m=audio 5000 RTP/AVP 0 | ACCEPTED | FITS",
        "m=audio 5000 RTP/AVPF 111~a=rtpmap:111 OPUS/48000/2 | ACCEPTED | FITS",
        "m=audio 5000 RTP/AVPF 0~c=IN IP4 0.0.0.0 | ACCEPTED | FITS",
        "m=audio 0 RTP/AVPF 0 | REJECTED | ALL_REJECTED",
        "m=audio 0 RTP/SAVP 0 | REJECTED | ALL_REJECTED",
        "m=video 5000 RTP/AVPF 0 | MEDIA_DIFFERS | UNUSABLE",
        "m=audio 5000 RTP/SAVP 0 | TRANSPORT_DIFFERS | UNUSABLE",
        "m=audio 5000 RTP/AVPF 8 | NO_COMMON_FORMAT | UNUSABLE",
        "m=audio 5000 RTP/AVPF 96~a=rtpmap:96 speex/16000 | NO_COMMON_FORMAT | UNUSABLE",
        "m=audio 5000 RTP/AVPF 0~c=IN IP6 2001:db8::1 | ADDRESS_DIFFERS | UNUSABLE",
        "m=audio 5000 RTP/AVPF 0~c=IN IP4 224.2.1.1/127 | ADDRESS_DIFFERS | UNUSABLE",
        "m=audio 5000 RTP/AVPF 0~c=IN IP4 host.example.com | ADDRESS_DIFFERS | UNUSABLE",
      })
  void namesWhatBecameOfALine(String media, Line line, Outcome outcome) {
    SessionDescription answer =
        peer("198.51.100.2", media.replace('~', '\n') + "\nm=video 0 RTP/AVP 31\n");
    AnswerCheck check = AnswerCheck.of(OFFER, answer);
    assertThat(check.lines()).containsExactly(line, Line.REJECTED);
    assertThat(check.outcome()).isEqualTo(outcome);
    assertThat(check.usable().media()).hasSize(2);
    assertThat(check.usable().media().getFirst().isActive()).isEqualTo(line == Line.ACCEPTED);
  }

  @Test
  void takesWhatIsThereOfAnAnswerWithTooFewLines() {
    AnswerCheck check = AnswerCheck.of(OFFER, peer("198.51.100.2", "m=audio 5000 RTP/AVPF 0\n"));
    assertThat(check.lines()).containsExactly(Line.ACCEPTED, Line.MISSING);
    assertThat(check.outcome()).isEqualTo(Outcome.MENDED);
    assertThat(check.usable().toString())
        .endsWith("m=audio 5000 RTP/AVPF 0\nm=video 0 RTP/AVP 31\n");
  }

  @Test
  void takesWhatIsThereOfAnAnswerWithTooManyLines() {
    AnswerCheck check =
        AnswerCheck.of(
            OFFER,
            peer(
                "198.51.100.2",
                "m=audio 5000 RTP/AVPF 0\nm=video 5002 RTP/AVP 31\nm=text 5004 RTP/AVP 98\n"));
    assertThat(check.lines()).containsExactly(Line.ACCEPTED, Line.NOT_OFFERED);
    assertThat(check.extraLines()).isEqualTo(1);
    assertThat(check.outcome()).isEqualTo(Outcome.MENDED);
    assertThat(check.usable().media()).hasSize(2);
  }

  @Test
  void anEmptyAnswerFitsOnlyAnEmptyOffer() {
    SessionDescription empty = peer("198.51.100.2", "");
    assertThat(AnswerCheck.of(empty, empty).outcome()).isEqualTo(Outcome.FITS);
    assertThat(AnswerCheck.of(OFFER, empty).outcome()).isEqualTo(Outcome.UNUSABLE);
  }

  @Test
  void formatsOfOtherTransportsAreNotCompared() {
    SessionDescription offer = peer("203.0.113.20", "m=application 20000 UDP/BFCP *\n");
    SessionDescription answer = peer("198.51.100.2", "m=application 5000 UDP/BFCP x\n");
    assertThat(AnswerCheck.of(offer, answer).lines()).isEqualTo(List.of(Line.ACCEPTED));
  }

  @ParameterizedTest(name = "{0} -> {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "m=audio 4000 RTP/AVP 0 | 0",
        "m=audio 0 RTP/AVP 0 | 0",
        "m=message 7654 TCP/MSRP * | 302",
        "m=message 7654 TCP/MSRP *~m=audio 4000 RTP/AVP 0 | 0",
        "m=message 7654 TCP/MSRP *~m=audio 0 RTP/AVP 0 | 302",
        "m=audio 4000 RTP/AVP 0~c=IN IP4 224.2.1.1/127 | 330",
        "m=audio 4000 RTP/AVP 0~c=IN IP6 ff15::101 | 330",
        "m=audio 4000 RTP/AVP 0~c=ATM NSAP 47.0091 | 300",
        "m=audio 4000 RTP/AVP 0~c=IN IP4 host.example.com | 301",
        "m=audio 4000 RTP/AVP 0~c=IN IP4 0.0.0.0 | 0",
        "m=audio 4000 RTP/AVP 0~c=IN IP6 x.invalid | 0",
        "m=x 4000 udp 192.0.2.1 | 399",
      })
  @DisplayName("an offer that cannot be relayed is refused with a reason (RFC 3261 20.43)")
  void refusesOffers(String media, int code) {
    SessionDescription offer = peer("192.0.2.1", media.replace('~', '\n') + "\n");
    assertThat(OfferCheck.refusal(offer).map(Warning::code).orElse(0)).isEqualTo(code);
  }

  @Test
  void anOfferWithoutLinesIsPassedOn() {
    assertThat(OfferCheck.refusal(sdp("v=0\no=- 1 1 IN IP4 192.0.2.1\n"))).isEmpty();
  }
}
