package io.sippbx.control.event.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class KafkaPublisherTest {

  private static final String TOPIC = "calls";
  private static final String REGISTRATIONS = "registrations";
  private static final long WITHIN_S = 20;

  /** What is sent waits here for the test to answer. */
  private final LinkedBlockingQueue<Asked> asked = new LinkedBlockingQueue<>();

  private final List<Fake> made = Collections.synchronizedList(new ArrayList<>());
  private final LinkedBlockingQueue<String> done = new LinkedBlockingQueue<>();
  private final KafkaPublisher publisher =
      KafkaPublisher.start(
          this::producer, new KafkaPublisher.Topics(TOPIC, REGISTRATIONS), 3, Duration.ofNanos(1));

  private record Asked(Fake by, ProducerRecord<String, byte[]> sent) {}

  /** Kafka's own double, which tells when it was asked. */
  private final class Fake extends MockProducer<String, byte[]> {
    private volatile @Nullable RuntimeException broken;

    Fake() {
      super(false, null, new StringSerializer(), new ByteArraySerializer());
    }

    @Override
    public synchronized java.util.concurrent.Future<
            org.apache.kafka.clients.producer.RecordMetadata>
        send(
            ProducerRecord<String, byte[]> message,
            org.apache.kafka.clients.producer.Callback callback) {
      RuntimeException problem = broken;
      if (problem != null) {
        broken = null;
        throw problem;
      }
      var answer = super.send(message, callback);
      asked.add(new Asked(this, message));
      return answer;
    }
  }

  private Fake producer() {
    var fake = new Fake();
    made.add(fake);
    return fake;
  }

  @AfterEach
  void close() {
    publisher.close();
  }

  private static CallEvent event(String id) {
    return CallEvent.newBuilder().setEventId(id).setCallKey("call-" + id).build();
  }

  private boolean take(String id) {
    return publisher.take(event(id), () -> done.add(id));
  }

  private Asked asked() throws InterruptedException {
    Asked next = asked.poll(WITHIN_S, TimeUnit.SECONDS);
    assertThat(next).as("something is sent").isNotNull();
    return next;
  }

  private @Nullable String done() throws InterruptedException {
    return done.poll(WITHIN_S, TimeUnit.SECONDS);
  }

  @Test
  void isDoneWithAnEventWhenItIsAcknowledged() throws Exception {
    assertThat(take("a")).isTrue();
    Asked sent = asked();
    assertThat(sent.sent().topic()).isEqualTo(TOPIC);
    assertThat(sent.sent().key()).isEqualTo("call-a");
    assertThat(CallEvent.parseFrom(sent.sent().value())).isEqualTo(event("a"));
    assertThat(done).isEmpty();
    sent.by().completeNext();
    assertThat(done()).isEqualTo("a");
    assertThat(publisher.published()).isEqualTo(1);
    assertThat(publisher.inHand()).isZero();
  }

  @Test
  void sendsWhatHappenedToARegistrationToItsTopicByItsAddress() throws Exception {
    RegistrationEvent event =
        RegistrationEvent.newBuilder().setEventId("1:2").setAor("sip:bob@pbx.example").build();
    assertThat(publisher.take(event, () -> done.add("bob"))).isTrue();
    Asked sent = asked();
    assertThat(sent.sent().topic()).isEqualTo(REGISTRATIONS);
    assertThat(sent.sent().key()).isEqualTo("sip:bob@pbx.example");
    assertThat(RegistrationEvent.parseFrom(sent.sent().value())).isEqualTo(event);
    sent.by().completeNext();
    assertThat(done()).isEqualTo("bob");
  }

  @Test
  void sendsAgainWhatWasNotAcknowledged() throws Exception {
    take("a");
    for (int i = 0; i < 3; i++) {
      asked().by().errorNext(new TimeoutException("no broker"));
    }
    Asked fourth = asked();
    assertThat(publisher.isFailing()).isTrue();
    assertThat(done).isEmpty();
    fourth.by().completeNext();
    assertThat(done()).isEqualTo("a");
    assertThat(publisher.isFailing()).isFalse();
    assertThat(publisher.failures()).isEqualTo(3);
    assertThat(made).hasSize(1);
  }

  @Test
  void takesAnotherProducerWhenOneIsBroken() throws Exception {
    take("a");
    asked().by().completeNext();
    assertThat(done()).isEqualTo("a");
    made.getFirst().broken = new ClusterAuthorizationException("may not");
    take("b");
    Asked again = asked();
    assertThat(again.by()).isNotSameAs(made.getFirst());
    assertThat(made.getFirst().closed()).isTrue();
    again.by().completeNext();
    assertThat(done()).isEqualTo("b");
  }

  @Test
  void takesNoMoreThanItMayHold() throws Exception {
    assertThat(List.of(take("a"), take("b"), take("c"), take("d")))
        .containsExactly(true, true, true, false);
    assertThat(publisher.refused()).isEqualTo(1);
    asked().by().completeNext();
    assertThat(done()).isEqualTo("a");
    assertThat(take("d")).isTrue();
  }

  @Test
  void takesNothingOnceItIsClosed() {
    publisher.close();
    assertThat(take("a")).isFalse();
    assertThat(publisher.inHand()).isZero();
  }
}
