package io.sippbx.benchmarks;

import io.sippbx.media.relay.EndPlan;
import io.sippbx.media.relay.OpenResult;
import io.sippbx.media.relay.OpenResult.Opened;
import io.sippbx.media.relay.Relay;
import io.sippbx.media.relay.RelayListener;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.relay.RelaySettings.LoopChoice;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.relay.start.Relays;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The product's relay alone, under a load generator: opens a session for each line of a file, says
 * READY, relays until it is ended, and prints what it counted.
 *
 * <pre>
 * RelayMain --flows FILE [--calls N] [--loop auto|ffm|netty|netty_nio] [--workers N]
 * </pre>
 *
 * A line of the file names eight things: address and port of the caller, of the relay towards it,
 * of the callee, and of the relay towards it. RTCP is on the next port of each. Everything the
 * product does for a packet is on: latching, payload types, loss and jitter, time-out.
 */
public final class RelayMain {

  private static final int FIELDS = 8;
  private static final Duration MEDIA_TIMEOUT = Duration.ofMinutes(1);
  private static final PayloadTypes PAYLOAD_TYPES =
      PayloadTypes.of(MediaKind.AUDIO, List.of(0, 8, 101));

  private RelayMain() {}

  private record Options(Path flows, int calls, RelaySettings settings) {

    static Options of(String[] arguments) {
      Path flows = null;
      int calls = Integer.MAX_VALUE;
      RelaySettings settings = RelaySettings.defaults().withWorkers(1);
      for (int i = 0; i + 1 < arguments.length; i += 2) {
        String value = arguments[i + 1];
        switch (arguments[i]) {
          case "--flows" -> flows = Path.of(value);
          case "--calls" -> calls = Integer.parseInt(value);
          case "--loop" ->
              settings = settings.withLoop(LoopChoice.valueOf(value.toUpperCase(Locale.ROOT)));
          case "--workers" -> settings = settings.withWorkers(Integer.parseInt(value));
          default -> throw new IllegalArgumentException("Expected an option, but got " + value);
        }
      }
      if (flows == null || arguments.length % 2 != 0) {
        throw new IllegalArgumentException(
            "Expected --flows FILE [--calls N] [--loop LOOP] [--workers N]");
      }
      return new Options(flows, calls, settings);
    }
  }

  /** See the class. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Options options = Options.of(arguments);
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Relay relay = Relays.start(options.settings(), RelayListener.none(), System::nanoTime);
    List<String> lines = Files.readAllLines(options.flows());
    var answers = new ArrayBlockingQueue<OpenResult>(lines.size() + 1);
    int calls = 0;
    for (String line : lines) {
      String[] fields = line.strip().split(" +", -1);
      if (fields.length == FIELDS && calls < options.calls()) {
        open(relay, calls++, fields, answers);
      }
    }
    for (int i = 0; i < calls; i++) {
      requireOpened(answers);
    }
    var ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  System.err.println(relay.counts());
                  relay.close();
                  ended.countDown();
                }));
    out.println("READY " + calls + " calls, " + relay.adapter());
    ended.await();
  }

  private static void open(
      Relay relay, int number, String[] fields, BlockingQueue<OpenResult> answers) {
    List<Endpoint> endpoints = new ArrayList<>();
    for (int i = 0; i < FIELDS; i += 2) {
      endpoints.add(Endpoint.of(fields[i], Integer.parseInt(fields[i + 1])));
    }
    Endpoint towardsCaller = endpoints.get(1);
    Endpoint towardsCallee = endpoints.get(3);
    var ports =
        new StreamPorts(0, towardsCaller, next(towardsCaller), towardsCallee, next(towardsCallee));
    var stream =
        StreamPlan.rtp(0, MediaKind.AUDIO, end(endpoints.getFirst()), end(endpoints.get(2)));
    relay.open(
        CallKey.ofBytes(ByteBuffer.allocate(16).putInt(12, number).array()),
        List.of(ports),
        new SessionPlan(List.of(stream), MEDIA_TIMEOUT),
        answers::add);
  }

  private static Endpoint next(Endpoint endpoint) {
    return endpoint.withPort(endpoint.port() + 1);
  }

  private static EndPlan end(Endpoint remote) {
    return new EndPlan(Optional.of(remote), Optional.empty(), false, true, true, PAYLOAD_TYPES, 0);
  }

  private static void requireOpened(BlockingQueue<OpenResult> answers) throws InterruptedException {
    OpenResult result = answers.poll(30, TimeUnit.SECONDS);
    if (!(result instanceof Opened)) {
      throw new IllegalStateException("Expected a session to be opened, but got " + result);
    }
  }
}
