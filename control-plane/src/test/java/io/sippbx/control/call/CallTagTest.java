package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("one identity (law 1)")
class CallTagTest {

  private static final CallKey KEY = CallKey.ofBytes(new byte[16]);
  private final CallKeys keys =
      new CallKeys("0123456789abcdef".getBytes(StandardCharsets.US_ASCII));

  @Test
  void aTagNamesCallSideAndOrdinal() {
    for (Side side : Side.values()) {
      for (int ordinal : new int[] {0, 1, 9, 10, 120}) {
        var tag = new CallTag(KEY, side, ordinal);
        assertThat(CallTag.of(tag.tag())).contains(tag);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaac1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaa01",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaa1x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaa99999",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAa1"
      })
  void aTagOfOthersIsNone(String text) {
    assertThat(CallTag.of(new Tag(text))).isEmpty();
  }

  @Test
  void aBranchNamesCallNumberNodeAndStart() {
    var name = new BranchName(KEY, 17, new Incarnation(-5), new NodeId("edge-1.example.com"));
    assertThat(BranchName.of(name.branch())).contains(name);
    assertThat(name.branch().isRfc3261()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "z9hG4bK",
        "z9hG4bKabc",
        "other",
        "z9hG4bKaaaaaaaaaaaaaaaaaaaaaaaaaa.x.0000000000000001.n",
        "z9hG4bKaaaaaaaaaaaaaaaaaaaaaaaaaa.1.000000000000000g.n",
        "z9hG4bKaaaaaaaaaaaaaaaaaaaaaaaaaa.1.0000000000000001.",
        "z9hG4bKaaaaaaaaaaaaaaaaaaaaaaaaaa-1.0000000000000001.n"
      })
  void aBranchOfOthersIsNone(String text) {
    assertThat(BranchName.of(new Branch(text))).isEmpty();
  }

  @Test
  void aRepeatACancelAndTheAckOfAFailureHaveTheKeyOfTheInvite() {
    SipRequest invite = Scene.invite(Scene.offer("192.0.2.10", 40000));
    SipRequest cancel = Messages.cancel(invite);
    assertThat(keys.derive(invite)).isEqualTo(keys.derive(invite));
    assertThat(keys.derive(cancel)).isEqualTo(keys.derive(invite));
  }

  @Test
  void aRetryWithAHigherNumberAndAnotherTargetAreCallsOfTheirOwn() {
    SipRequest invite = Scene.invite("");
    SipRequest retry = invite.toBuilder().cSeq(2).build();
    SipRequest other =
        invite.toBuilder()
            .uri(io.sippbx.control.sip.message.SipUri.of("1009", "198.51.100.1"))
            .build();
    assertThat(keys.derive(retry)).isNotEqualTo(keys.derive(invite));
    assertThat(keys.derive(other)).isNotEqualTo(keys.derive(invite));
  }

  @Test
  void anotherSecretGivesAnotherKey() {
    var others = new CallKeys("fedcba9876543210".getBytes(StandardCharsets.US_ASCII));
    SipRequest invite = Scene.invite("");
    assertThat(others.derive(invite)).isNotEqualTo(keys.derive(invite));
  }
}
