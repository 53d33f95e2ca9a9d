package io.sippbx.control.offer;

import static io.sippbx.control.offer.Sdps.peer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.shared.sdp.SdpLimits;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("the body of a message")
class SdpBodyTest {

  private static final byte[] SDP = peer("192.0.2.1", "m=audio 4000 RTP/AVP 0\n").toBytes();

  private static SdpBody read(String type, String encoding, String disposition, byte[] body) {
    return SdpBody.of(given(type), given(encoding), given(disposition), body, SdpLimits.DEFAULT);
  }

  private static Optional<String> given(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  @ParameterizedTest(name = "{0} {1} {2} -> {3}")
  @CsvSource(
      delimiter = '|',
      value = {
        "application/sdp | '' | '' | Described",
        "Application/SDP; charset=utf-8 | identity | session | Described",
        "application/sdp | '' | session;handling=required | Described",
        "application/sdp | '' | session;handling=optional | Described",
        "application/sdp | gzip | '' | UnsupportedEncoding",
        "application/sdp | '' | early-session | UnsupportedType",
        "application/sdp | '' | early-session;handling=optional | None",
        "text/plain | '' | '' | UnsupportedType",
        "text/plain | '' | render; handling = optional | None",
        "multipart/mixed;boundary=x | '' | '' | UnsupportedType",
        "multipart/mixed;boundary=x | '' | session;handling=optional | None",
        "'' | '' | '' | UnsupportedType",
      })
  void isTakenByItsTypeEncodingAndDisposition(
      String type, String encoding, String disposition, String what) {
    assertThat(read(type, encoding, disposition, SDP).getClass().getSimpleName()).isEqualTo(what);
  }

  @Test
  void mayBeAbsent() {
    assertThat(read("application/sdp", "gzip", "", new byte[0])).isEqualTo(new SdpBody.None());
  }

  @Test
  void saysInAWarningWhereItIsMalformed() {
    SdpBody body =
        read("application/sdp", "", "", "v=0\nbad\n".getBytes(StandardCharsets.US_ASCII));
    assertThat(body)
        .isEqualTo(
            new SdpBody.Unreadable(
                new Warning(399, "Malformed SDP: expected a letter and = at line 2")));
    assertThat(((SdpBody.Unreadable) body).warning().header("pbx.example.com:5060"))
        .isEqualTo("399 pbx.example.com:5060 \"Malformed SDP: expected a letter and = at line 2\"");
  }

  @Test
  void warningsHaveNothingThatWouldEndThem() {
    assertThatThrownBy(() -> new Warning(399, "a \" b"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Warning(399, "a\r\nb"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Warning(200, "a")).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest(name = "{0} -> {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "m=audio 4 RTP/AVP 0 101 | pcmu",
        "m=audio 4 RTP/AVP 101 8~a=rtpmap:101 telephone-event/8000 | pcma",
        "m=audio 4 RTP/AVP 13 96~a=rtpmap:96 OPUS/48000/2 | opus",
        "m=audio 0 RTP/AVP 0~m=audio 6 RTP/AVP 9 | g722",
        "m=video 4 RTP/AVP 31 | ''",
        "m=audio 4 RTP/AVP 96 | ''",
        "m=audio 4 udp 0 | ''",
      })
  @DisplayName("the codec's name for the record")
  void namesTheCodec(String media, String name) {
    assertThat(CodecName.of(peer("192.0.2.1", media.replace('~', '\n') + "\n")).orElse(""))
        .isEqualTo(name);
  }
}
