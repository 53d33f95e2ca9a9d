package io.sippbx.control.offer;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.media.PayloadForm;
import io.sippbx.shared.sdp.MediaDescription;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("transports of media lines")
class TransportsTest {

  @ParameterizedTest(name = "{0} {1}: {2}")
  @CsvSource({
    "audio, RTP/AVP, RTP",
    "video, RTP/AVPF, RTP",
    "audio, RTP/SAVP, DTLS_SRTP",
    "audio, rtp/savpf, DTLS_SRTP",
    "audio, UDP/TLS/RTP/SAVP, DTLS_SRTP",
    "video, UDP/TLS/RTP/SAVPF, DTLS_SRTP",
    "image, udptl, DATAGRAMS",
    "image, UDP/TLS/UDPTL, DATAGRAMS",
    "application, UDP/DTLS/SCTP, DATAGRAMS",
    "application, UDP/BFCP, DATAGRAMS",
  })
  void sayWhatTheirPacketsAre(String media, String protocol, PayloadForm form) {
    MediaDescription line =
        Sdps.peer("192.0.2.1", "m=" + media + " 4000 " + protocol + " 0\n").media().getFirst();
    assertThat(Transports.relayable(line)).isTrue();
    assertThat(Transports.form(line)).isEqualTo(form);
  }
}
