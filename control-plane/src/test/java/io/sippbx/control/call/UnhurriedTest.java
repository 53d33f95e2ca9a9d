package io.sippbx.control.call;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.identity.CallKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class UnhurriedTest {

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final List<String> done = new ArrayList<>();
  private final Unhurried unhurried = unhurried(3);

  private Unhurried unhurried(int most) {
    return new Unhurried(
        loop,
        new Beat(loop, most),
        (call, input) -> done.add(clock.elapsed().toMillis() + " " + input.sinceNs()));
  }

  private void add(Unhurried to, int number) {
    to.add(
        key(number),
        new Waiting(
            new Input.LeaseGivenBack(), Optional.empty(), absent -> {}, number, false, false));
  }

  /** One, which does not wait, and so many more besides. */
  private void come(int more) {
    clock.advance(Duration.ofMillis(10));
    for (int i = 1; i <= 1 + more; i++) {
      add(unhurried, i);
    }
    assertThat(done).containsExactly("10 1");
  }

  private static CallKey key(int number) {
    var octets = new byte[16];
    octets[0] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  private static boolean isUnhurried(Method method, String body) {
    SipRequest request = new Scene().up().callerRequest(method, 2, body);
    var input =
        new Input.RequestArrived(
            Scene.transaction(request),
            request,
            Scene.CALLER_FLOW,
            Destination.over(Scene.CALLER_FLOW));
    return new Waiting(input, Optional.empty(), absent -> {}, 0, false, false).isUnhurried();
  }

  @Test
  void onlyAByeIsInNoHurry() {
    assertThat(isUnhurried(Method.BYE, "")).isTrue();
    assertThat(isUnhurried(Method.CANCEL, "")).isFalse();
    assertThat(isUnhurried(Method.INVITE, Scene.offer("192.0.2.1", 4000))).isFalse();
  }

  @Test
  void whatComesAloneDoesNotWait() {
    clock.advance(Duration.ofMillis(10));
    add(unhurried, 1);
    clock.advance(Duration.ofMillis(50));
    add(unhurried, 2);
    assertThat(done).containsExactly("10 1", "60 2");
  }

  @Test
  void whatComesForTheSameCallIsNoCompany() {
    add(unhurried, 1);
    add(unhurried, 1);
    assertThat(done).containsExactly("0 1", "0 1");
  }

  @Test
  void whatComesBesideAnotherWaitsForTheBeat() {
    come(1);
    clock.advance(Duration.ofMillis(30));
    add(unhurried, 3);
    clock.advance(Duration.ofMillis(60));
    assertThat(done).containsExactly("10 1", "50 2", "50 3");
  }

  @Test
  void soManyDoNotWaitAnyMore() {
    come(3);
    clock.runReady();
    assertThat(done).containsExactly("10 1", "10 2", "10 3", "10 4");
    clock.advance(Duration.ofMillis(100));
    assertThat(done).as("once each").hasSize(4);
  }

  @Test
  void nothingWaitsWhereOneIsEnough() {
    Unhurried none = unhurried(1);
    add(none, 1);
    add(none, 2);
    clock.runReady();
    assertThat(done).containsExactly("0 1", "0 2");
  }

  @Test
  void whatWaitsIsTakenUpBeforeWhatComesForItsCall() {
    come(2);
    unhurried.takeUp(key(2));
    unhurried.takeUp(key(2));
    assertThat(done).containsExactly("10 1", "10 2");
    add(unhurried, 3);
    assertThat(done)
        .as("what waited, and then what came")
        .containsExactly("10 1", "10 2", "10 3", "10 3");
    clock.advance(Duration.ofMillis(100));
    assertThat(done).hasSize(4);
  }

  @Test
  void allThatWaitsIsTakenUpWhereItIsAskedFor() {
    come(2);
    unhurried.takeUp();
    assertThat(done).containsExactly("10 1", "10 2", "10 3");
    clock.advance(Duration.ofMillis(100));
    assertThat(done).hasSize(3);
  }
}
