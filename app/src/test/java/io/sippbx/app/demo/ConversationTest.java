package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ConversationTest {

  private final Conversation conversation = new Conversation(Duration.ofMillis(20));

  private void tell(String phone, PhoneEvent event) {
    conversation.tell(phone, event);
  }

  private <E extends PhoneEvent> E await(String phone, Class<E> kind) throws Exception {
    return conversation.await(phone, kind, "no 200 OK from bob came");
  }

  @Test
  void givesEachPhoneItsOwnEvents() throws Exception {
    tell("bob", new PhoneEvent.HungUp());
    tell("alice", new PhoneEvent.Over());
    assertThat(await("alice", PhoneEvent.Over.class)).isEqualTo(new PhoneEvent.Over());
    assertThat(await("bob", PhoneEvent.HungUp.class)).isEqualTo(new PhoneEvent.HungUp());
  }

  @Test
  void wakesWhoWaits() throws Exception {
    var patient = new Conversation(Duration.ofSeconds(30));
    Thread other =
        Thread.ofPlatform().start(() -> patient.tell("alice", new PhoneEvent.Registered()));
    assertThat(patient.await("alice", PhoneEvent.Registered.class, "no 200 came"))
        .isEqualTo(new PhoneEvent.Registered());
    other.join();
  }

  @Test
  void saysWhatDidNotComeInTime() {
    assertThatExceptionOfType(DemoFailure.class)
        .isThrownBy(() -> await("alice", PhoneEvent.Answered.class))
        .withMessage("alice: no 200 OK from bob came within 0.02 s");
  }

  @Test
  void passesOverRingingOnly() throws Exception {
    tell("alice", new PhoneEvent.Ringing());
    tell("alice", new PhoneEvent.Over());
    assertThat(await("alice", PhoneEvent.Over.class)).isNotNull();
    tell("alice", new PhoneEvent.HungUp());
    assertThatExceptionOfType(DemoFailure.class)
        .isThrownBy(() -> await("alice", PhoneEvent.Over.class))
        .withMessage("alice: no 200 OK from bob came, but a BYE came");
  }

  @Test
  void tellsOfTheOtherPhonesTrouble() {
    tell("alice", new PhoneEvent.Trouble("got 503 Service Unavailable to its INVITE"));
    assertThatExceptionOfType(DemoFailure.class)
        .isThrownBy(() -> await("bob", PhoneEvent.Rings.class))
        .withMessage("alice got 503 Service Unavailable to its INVITE");
  }

  @Test
  void isBounded() {
    for (int i = 0; i < 65; i++) {
      tell("bob", new PhoneEvent.HungUp());
    }
    assertThatExceptionOfType(DemoFailure.class)
        .isThrownBy(() -> await("bob", PhoneEvent.HungUp.class))
        .withMessage("bob was told of too much at once");
  }
}
