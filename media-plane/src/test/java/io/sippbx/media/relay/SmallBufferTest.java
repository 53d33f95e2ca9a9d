package io.sippbx.media.relay;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.sippbx.media.relay.OpenResult.Opened;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

class SmallBufferTest {

  private final RelaySettings settings = RelaySettings.defaults().withWorkers(1);
  private final ManualLoop loop = new ManualLoop();

  /** The first socket tells for all: to ask each one is a system call a socket. */
  @ParameterizedTest
  @CsvSource({"-1, 1", "0, 0"})
  void isAskedForOnceAndWarnedOfOnce(int moreThanAsked, int warnings) {
    loop.receiveBufferBytes = settings.receiveBufferBytes() + moreThanAsked;
    var logger = (ch.qos.logback.classic.Logger) LoggerFactory.getLogger(RelayWorker.class);
    var events = new ListAppender<ILoggingEvent>();
    events.start();
    logger.addAppender(events);
    try {
      openTwo();
    } finally {
      logger.detachAppender(events);
    }
    assertThat(loop.sockets).hasSize(8);
    assertThat(loop.receiveBufferAsked).isEqualTo(1);
    assertThat(events.list)
        .hasSize(warnings)
        .allSatisfy(
            event -> {
              assertThat(event.getMessage()).isEqualTo("relay.receive_buffer_small");
              assertThat(event.getKeyValuePairs())
                  .extracting(pair -> pair.value)
                  .containsExactly(settings.receiveBufferBytes(), loop.receiveBufferBytes);
            });
  }

  private void openTwo() {
    var relay = new WorkerRelay("manual", settings, RelayListener.none(), i -> loop);
    Endpoint any = Endpoint.of("127.0.0.1", 0);
    EndPlan end = EndPlan.unknown(MediaKind.AUDIO);
    var plan =
        new SessionPlan(
            List.of(StreamPlan.rtp(0, MediaKind.AUDIO, end, end)), Duration.ofSeconds(60));
    var answers = new ArrayList<OpenResult>();
    for (byte i = 0; i < 2; i++) {
      var octets = new byte[16];
      octets[0] = i;
      relay.open(
          CallKey.ofBytes(octets),
          List.of(new StreamPorts(0, any, any, any, any)),
          plan,
          answers::add);
      loop.turn();
    }
    assertThat(answers).hasSize(2).hasOnlyElementsOfType(Opened.class);
  }
}
