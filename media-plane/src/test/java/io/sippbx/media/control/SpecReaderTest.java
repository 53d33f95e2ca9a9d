package io.sippbx.media.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import io.sippbx.media.control.SpecReader.Reading;
import io.sippbx.media.rtp.PayloadForm;
import io.sippbx.media.session.EndSpec;
import io.sippbx.media.session.SessionSpec;
import io.sippbx.proto.media.v1.AddressFamily;
import io.sippbx.proto.media.v1.Endpoint;
import io.sippbx.proto.media.v1.StreamEnd;
import io.sippbx.proto.media.v1.StreamSpec;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SpecReaderTest {

  private static final String KEY = "a".repeat(26);
  private final SpecReader reader = new SpecReader(4);

  private static Endpoint endpoint(String ip, int port) {
    return Endpoint.newBuilder().setIp(ip).setPort(port).build();
  }

  private static StreamEnd.Builder end() {
    return StreamEnd.newBuilder()
        .setFamily(AddressFamily.ADDRESS_FAMILY_IPV4)
        .setRemoteRtp(endpoint("192.0.2.1", 4_000))
        .setMaySend(true)
        .addPayloadTypes(101)
        .addPayloadTypes(0)
        .addPayloadTypes(101);
  }

  private static StreamSpec.Builder stream(int index) {
    return StreamSpec.newBuilder().setIndex(index).setMedia("audio").setA(end()).setB(end());
  }

  private static io.sippbx.proto.media.v1.SessionSpec.Builder spec() {
    return io.sippbx.proto.media.v1.SessionSpec.newBuilder()
        .setCallKey(KEY)
        .setRevision(1)
        .setMediaTimeout(Duration.newBuilder().setSeconds(60))
        .addStreams(stream(0));
  }

  private SessionSpec valid(io.sippbx.proto.media.v1.SessionSpec.Builder proto) {
    Reading reading = reader.read(proto.build());
    assertThat(reading).isInstanceOf(Reading.Valid.class);
    return ((Reading.Valid) reading).spec();
  }

  @Test
  void readsAllThatASpecSays() {
    SessionSpec spec = valid(spec());
    assertThat(spec.mediaTimeout()).hasSeconds(60L);
    EndSpec a = spec.streams().getFirst().a();
    assertThat(a.remoteRtp()).hasToString("Optional[192.0.2.1:4000]");
    assertThat(a.payloadTypes()).as("in their order, each once").containsExactly(0, 101);
    assertThat(a.maySend()).isTrue();
    assertThat(a.wantsReceive()).isFalse();
    assertThat(valid(spec().clearStreams()).streams()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "PAYLOAD_FORM_UNSPECIFIED, RTP",
    "PAYLOAD_FORM_RTP, RTP",
    "PAYLOAD_FORM_DTLS_SRTP, DTLS_SRTP",
    "PAYLOAD_FORM_DATAGRAMS, DATAGRAMS",
  })
  void readsWhatTheDatagramsAre(io.sippbx.proto.media.v1.PayloadForm said, PayloadForm form) {
    SessionSpec spec = valid(spec().setStreams(0, stream(0).setForm(said)));
    assertThat(spec.streams().getFirst().form()).isEqualTo(form);
  }

  @Test
  void takesAMappedAddressForIpv4() {
    var stream = stream(0).setA(end().setRemoteRtp(endpoint("::ffff:192.0.2.1", 4_000)));
    assertThat(valid(spec().setStreams(0, stream)).streams().getFirst().a().remoteRtp())
        .hasToString("Optional[192.0.2.1:4000]");
  }

  private static Arguments wrong(
      String field, Consumer<io.sippbx.proto.media.v1.SessionSpec.Builder> change) {
    return Arguments.of(field, change);
  }

  private static Arguments wrongStream(String field, Consumer<StreamSpec.Builder> change) {
    return wrong("streams[0]" + field, spec -> change.accept(spec.getStreamsBuilder(0)));
  }

  private static Arguments wrongEnd(String field, Consumer<StreamEnd.Builder> change) {
    return wrong(
        "streams[0].b" + field, spec -> change.accept(spec.getStreamsBuilder(0).getBBuilder()));
  }

  static Stream<Arguments> wrongSpecs() {
    return Stream.of(
        wrong("call_key", s -> s.setCallKey("")),
        wrong("call_key", s -> s.setCallKey(KEY + "a")),
        wrong("call_key", s -> s.setCallKey("A".repeat(26))),
        wrong("revision", s -> s.setRevision(0)),
        wrong("revision", s -> s.setRevision(-1)),
        wrong("media_timeout", s -> s.getMediaTimeoutBuilder().setSeconds(-1)),
        wrong("media_timeout", s -> s.getMediaTimeoutBuilder().setSeconds(Long.MAX_VALUE)),
        wrong("media_timeout", s -> s.getMediaTimeoutBuilder().setNanos(-1)),
        wrong("media_timeout", s -> s.getMediaTimeoutBuilder().setNanos(1_000_000_000)),
        wrong("streams[1].index", s -> s.addStreams(stream(0))),
        wrong("streams[2].index", s -> s.addStreams(stream(5)).addStreams(stream(4))),
        wrong(
            "streams",
            s ->
                s.addAllStreams(
                    List.of(
                        stream(1).build(),
                        stream(2).build(),
                        stream(3).build(),
                        stream(4).build()))),
        wrongStream(".index", s -> s.setIndex(256)),
        wrongStream(".index", s -> s.setIndex(-1)),
        wrongStream(".media", s -> s.setMedia("")),
        wrongStream(".media", s -> s.setMedia("au dio")),
        wrongStream(".media", s -> s.setMedia("a\r\nb")),
        wrongStream(".media", s -> s.setMedia("x".repeat(33))),
        wrongStream(".form", s -> s.setFormValue(9)),
        wrongStream(".a", StreamSpec.Builder::clearA),
        wrongStream(".b", StreamSpec.Builder::clearB),
        wrongEnd(".family", StreamEnd.Builder::clearFamily),
        wrongEnd(".family", e -> e.setFamilyValue(9)),
        wrongEnd(".remote_rtp.ip", e -> e.getRemoteRtpBuilder().setIp("")),
        wrongEnd(".remote_rtp.ip", e -> e.getRemoteRtpBuilder().setIp("phone.example")),
        wrongEnd(".remote_rtp.ip", e -> e.getRemoteRtpBuilder().setIp("2001:db8::1")),
        wrongEnd(".remote_rtp.ip", e -> e.getRemoteRtpBuilder().setIp("0.0.0.0")),
        wrongEnd(".remote_rtp.ip", e -> e.getRemoteRtpBuilder().setIp("239.1.2.3")),
        wrongEnd(".remote_rtp.ip", e -> e.getRemoteRtpBuilder().setIp("255.255.255.255")),
        wrongEnd(
            ".remote_rtp.ip",
            e ->
                e.setFamily(AddressFamily.ADDRESS_FAMILY_IPV6)
                    .setRemoteRtp(endpoint("ff02::1", 4_000))),
        wrongEnd(
            ".remote_rtp.ip",
            e ->
                e.setFamily(AddressFamily.ADDRESS_FAMILY_IPV6).setRemoteRtp(endpoint("::", 4_000))),
        wrongEnd(".remote_rtp.port", e -> e.getRemoteRtpBuilder().setPort(0)),
        wrongEnd(".remote_rtp.port", e -> e.getRemoteRtpBuilder().setPort(65_536)),
        wrongEnd(".remote_rtp.port", e -> e.getRemoteRtpBuilder().setPort(-1)),
        wrongEnd(".remote_rtcp.ip", e -> e.setRemoteRtcp(endpoint("x", 1))),
        wrongEnd(".remote_rtcp", e -> e.clearRemoteRtp().setRemoteRtcp(endpoint("192.0.2.1", 1))),
        wrongEnd(".payload_types", e -> e.addPayloadTypes(128)),
        wrongEnd(".payload_types", e -> e.addPayloadTypes(-1)),
        wrongEnd(".latch_epoch", e -> e.setLatchEpoch(-1)),
        wrongEnd(".pinned_port", e -> e.setPinnedPort(10_001)),
        wrongEnd(".pinned_port", e -> e.setPinnedPort(65_536)),
        wrongEnd(".pinned_port", e -> e.setPinnedPort(-2)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongSpecs")
  void namesTheFieldThatIsWrong(
      String field, Consumer<io.sippbx.proto.media.v1.SessionSpec.Builder> change) {
    var proto = spec();
    change.accept(proto);
    Reading reading = reader.read(proto.build());
    assertThat(reading).isInstanceOf(Reading.Invalid.class);
    var invalid = (Reading.Invalid) reading;
    assertThat(invalid.field()).isEqualTo(field);
    assertThat(invalid.toString()).contains("Expected " + field, "but got ").isASCII();
    assertThat(invalid.actual()).hasSizeLessThan(80);
  }

  @Test
  void showsHostileValuesShortAndPrintable() {
    assertThat(SpecReader.shown("a\r\nb\u0000\u001b[31m" + "x".repeat(1_000_000)))
        .startsWith("a??b??[31m")
        .hasSize(67);
    assertThat(SpecReader.shown("")).isEqualTo("nothing");
  }

  /** Damaged messages are read or refused, never thrown at us. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void neverThrows(long seed) {
    var random = new Random(seed);
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] bytes = spec().addStreams(stream(3)).build().toByteArray();
      for (int damage = random.nextInt(6); damage >= 0; damage--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        reader.read(io.sippbx.proto.media.v1.SessionSpec.parseFrom(bytes));
        read++;
      } catch (InvalidProtocolBufferException notOurs) {
        // gRPC refuses it before we see it.
        assertThat(notOurs).isNotNull();
      }
    }
    assertThat(read).isGreaterThan(1_000);
  }
}
