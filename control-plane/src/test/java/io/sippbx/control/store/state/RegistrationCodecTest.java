package io.sippbx.control.store.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.sip.auth.NonceUse;
import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.proto.state.v1.RegistrationState;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the stored form of a registration")
class RegistrationCodecTest {

  private static final RegistrationCodec CODEC = new RegistrationCodec();

  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.5Z");

  private static Registration registration() {
    Binding binding =
        Registers.binding("\"B\" <sip:1@h;x=%20>;q=0.5;+sip.instance=\"<urn:x>\"", NOW);
    return new Registration(
        List.of(binding),
        Registration.EMPTY
            .nonces()
            .use(new NonceUse(-7, NOW, NOW.plusSeconds(300), 0xffff_ffffL), NOW)
            .orElseThrow(),
        List.of(new Registration.Recent(new CallId("a@b"), 4_000_000_000L, Long.MIN_VALUE)));
  }

  @Test
  void isTheSameWhenItIsRead() {
    assertThat(CODEC.decode(CODEC.encode(registration())))
        .isEqualTo(new RecordCodec.Read<>(registration()));
    assertThat(CODEC.decode(CODEC.encode(Registration.EMPTY)))
        .isEqualTo(new RecordCodec.Read<>(Registration.EMPTY));
  }

  @Test
  @DisplayName("golden bytes of version 1")
  void readsVersion1() {
    assertThat(HexFormat.of().formatHex(CODEC.encode(registration()).head().toByteArray()))
        .isEqualTo(
            "0801127c0a31224222203c7369703a3140683b783d2532303e3b713d302e353b2b7369702e696e73"
                + "74616e63653d223c75726e3a783e22120463616c6c18012a18080112090a04c000020110c4271a09"
                + "0a04c000020910c42730033a0770686f6e652f31420c08f0d5d6ca061080cab5ee014a0c0880f2d6"
                + "ca061080cab5ee011a2f0a2b09f9ffffffffffffff120c0880f2d6ca061080cab5ee011a0c08acf4"
                + "d6ca061080cab5ee0120ffffffff0f120022140a036140621080d0acf30e190000000000000080");
  }

  @Test
  void carriesWhatANewerNodeAdded() throws InvalidProtocolBufferException {
    UnknownFieldSet added =
        UnknownFieldSet.newBuilder()
            .addField(2000, UnknownFieldSet.Field.newBuilder().addVarint(5).build())
            .build();
    RegistrationState.Builder newer =
        RegistrationState.parseFrom(CODEC.encode(registration()).head()).toBuilder();
    newer.setUnknownFields(added);
    newer.getBindingsBuilder(0).setUnknownFields(added);
    newer.getNoncesBuilder().setUnknownFields(added);
    var stored = new RecordCodec.Encoded(newer.build().toByteString());
    var read = (RecordCodec.Read<Registration>) CODEC.decode(stored);
    assertThat(CODEC.encode(read.record())).isEqualTo(stored);
  }

  @Test
  void tellsWhatIsNotForThisNode() throws InvalidProtocolBufferException {
    RegistrationState.Builder newer =
        RegistrationState.parseFrom(CODEC.encode(registration()).head()).toBuilder();
    assertThat(CODEC.decode(new RecordCodec.Encoded(newer.setMinReader(7).build().toByteString())))
        .isEqualTo(new RecordCodec.TooNew<>(7));
  }

  @Test
  void tellsWhatNoNodeWrote() {
    assertThat(CODEC.decode(new RecordCodec.Encoded(ByteString.copyFromUtf8("no protobuf at all"))))
        .isInstanceOf(RecordCodec.Unreadable.class);
  }
}
