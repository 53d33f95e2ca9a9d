package io.sippbx.control.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.BindingChange.Kind;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.store.CommitId;
import io.sippbx.proto.event.v1.RegistrationEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.shared.identity.NodeId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the published form of what happens to registrations")
class RegistrationEventEncoderTest {

  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00.5Z");
  private static final CommitId COMMIT = new CommitId(0x0123_4567_89ab_cdefL);

  private final RegistrationEventEncoder encoder =
      new RegistrationEventEncoder(new NodeId("node-1"));

  private static BindingChange change(Kind kind, long seq) {
    return new BindingChange(
        kind,
        Registers.BOB,
        Registers.binding("<sip:1@h>;+sip.instance=\"<urn:x>\"", NOW.plusSeconds(600)),
        seq);
  }

  @Test
  @DisplayName("golden bytes of version 1")
  void isWrittenAsVersion1() {
    List<RegistrationEvent> events =
        encoder.encode(COMMIT, NOW, List.of(change(Kind.REGISTERED, 7)));
    assertThat(events).hasSize(1);
    assertThat(HexFormat.of().formatHex(events.getFirst().toByteArray()))
        .isEqualTo(
            "0a12303132333435363738396162636465663a3712137369703a626f62407062782e6578616d706c65"
                + "1807220c0880f2d6ca061080cab5ee012a066e6f64652d31300150015a077369703a31406862"
                + "0575726e3a786a093139322e302e322e3970c4277a0375647082010c08d8f6d6ca061080cab5"
                + "ee018a010770686f6e652f31");
  }

  @Test
  void saysWhatHappenedForEachKindThatIsTold() {
    var changes = new ArrayList<BindingChange>();
    for (Kind kind : Kind.values()) {
      changes.add(change(kind, kind == Kind.REFRESHED ? 0 : changes.size() + 1));
    }
    assertThat(encoder.encode(COMMIT, NOW, changes))
        .extracting(RegistrationEvent::getKind)
        .containsExactly(
            RegistrationKind.REGISTRATION_KIND_REGISTERED,
            RegistrationKind.REGISTRATION_KIND_REFRESHED,
            RegistrationKind.REGISTRATION_KIND_UNREGISTERED,
            RegistrationKind.REGISTRATION_KIND_EXPIRED);
  }

  @Test
  void givesEachEventAnIdThatIsTheSameWhenTheCommitIsSentAgain() {
    List<BindingChange> changes = List.of(change(Kind.REMOVED, 8), change(Kind.REGISTERED, 9));
    List<RegistrationEvent> events = encoder.encode(COMMIT, NOW, changes);
    assertThat(events).extracting(RegistrationEvent::getEventId).doesNotHaveDuplicates();
    assertThat(encoder.encode(COMMIT, NOW, changes)).isEqualTo(events);
  }
}
