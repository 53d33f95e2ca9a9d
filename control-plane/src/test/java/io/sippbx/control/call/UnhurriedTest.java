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

  private static final CallKey ONE = key(1);
  private static final CallKey TWO = key(2);
  private static final CallKey THREE = key(3);

  private final VirtualLoops clock = VirtualLoops.inOrder();
  private final VirtualLoop loop = clock.loop("node");
  private final List<String> done = new ArrayList<>();
  private final Unhurried unhurried = unhurried(3);

  private Unhurried unhurried(int most) {
    return new Unhurried(
        loop, most, (call, input) -> done.add(clock.elapsed().toMillis() + " " + input.sinceNs()));
  }

  private static CallKey key(int number) {
    var octets = new byte[16];
    octets[0] = (byte) number;
    return CallKey.ofBytes(octets);
  }

  private static Waiting input(int number) {
    return new Waiting(
        new Input.LeaseGivenBack(), Optional.empty(), absent -> {}, number, false, false);
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
    unhurried.add(ONE, input(1));
    clock.advance(Duration.ofMillis(50));
    unhurried.add(TWO, input(2));
    assertThat(done).containsExactly("10 1", "60 2");
  }

  @Test
  void whatComesForTheSameCallIsNoCompany() {
    unhurried.add(ONE, input(1));
    unhurried.add(ONE, input(2));
    assertThat(done).containsExactly("0 1", "0 2");
  }

  @Test
  void whatComesBesideAnotherWaitsForTheBeat() {
    clock.advance(Duration.ofMillis(10));
    unhurried.add(ONE, input(1));
    unhurried.add(TWO, input(2));
    clock.advance(Duration.ofMillis(30));
    unhurried.add(THREE, input(3));
    assertThat(done).containsExactly("10 1");
    clock.advance(Duration.ofMillis(60));
    assertThat(done).containsExactly("10 1", "50 2", "50 3");
  }

  @Test
  void soManyDoNotWaitAnyMore() {
    clock.advance(Duration.ofMillis(10));
    unhurried.add(ONE, input(1));
    unhurried.add(TWO, input(2));
    unhurried.add(THREE, input(3));
    unhurried.add(key(4), input(4));
    assertThat(done).containsExactly("10 1", "10 2", "10 3", "10 4");
    clock.advance(Duration.ofMillis(100));
    assertThat(done).as("once each").hasSize(4);
  }

  @Test
  void nothingWaitsWhereOneIsEnough() {
    Unhurried none = unhurried(1);
    none.add(ONE, input(1));
    none.add(TWO, input(2));
    assertThat(done).containsExactly("0 1", "0 2");
  }

  @Test
  void whatWaitsIsTakenUpWhenSomethingElseComesForItsCall() {
    clock.advance(Duration.ofMillis(10));
    unhurried.add(ONE, input(1));
    unhurried.add(TWO, input(2));
    unhurried.add(THREE, input(3));
    unhurried.takeUp(TWO);
    unhurried.takeUp(TWO);
    assertThat(done).containsExactly("10 1", "10 2");
    unhurried.takeUp();
    assertThat(done).containsExactly("10 1", "10 2", "10 3");
    clock.advance(Duration.ofMillis(100));
    assertThat(done).hasSize(3);
  }
}
