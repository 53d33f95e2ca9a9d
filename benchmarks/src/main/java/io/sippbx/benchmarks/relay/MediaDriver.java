package io.sippbx.benchmarks.relay;

import io.sippbx.control.media.GrpcMediaPlane;
import io.sippbx.control.media.GrpcMediaPlaneSettings;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaAnswer.Held;
import io.sippbx.control.media.MediaTarget;
import io.sippbx.control.media.NettyMediaChannels;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.media.StreamEnd;
import io.sippbx.control.media.StreamSpec;
import io.sippbx.control.media.SystemHostResolver;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
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
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Makes a media node hold sessions as a control node does, and writes down where their media go: a
 * line for each call with address and port of the caller, of the node towards it, of the callee,
 * and of the node towards it. Prints a line of JSON once all are held, and one once all are
 * released, which happens when its standard input ends.
 */
@Command(name = "media-driver", mixinStandardHelpOptions = true, sortOptions = false)
final class MediaDriver implements Callable<Integer> {

  private static final int WINDOW = 64;
  private static final Duration ANSWER = Duration.ofSeconds(10);
  private static final Duration PLACEABLE = Duration.ofSeconds(30);
  private static final Duration MEDIA_TIMEOUT = Duration.ofMinutes(1);
  private static final List<Integer> PAYLOAD_TYPES = List.of(0, 8, 101);

  @Option(names = "--node", required = true, description = "Where it is controlled, host:port.")
  private String node = "";

  @Option(names = "--node-id", required = true, description = "Its cluster.node_id.")
  private String nodeId = "";

  @Option(names = "--calls", required = true)
  private int calls;

  @Option(names = "--flows", required = true, description = "The file to write.")
  private Path flows = Path.of("");

  @Option(names = "--caller", defaultValue = "127.0.0.2")
  private String caller = "";

  @Option(names = "--callee", defaultValue = "127.0.0.3")
  private String callee = "";

  @Option(names = "--base", defaultValue = "10000", description = "First port of the phones.")
  private int base;

  /** See the class. */
  public static void main(String[] arguments) {
    System.exit(new CommandLine(new MediaDriver()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    int colon = node.lastIndexOf(':');
    var target =
        new MediaTarget.Network(
            node.substring(0, colon), Integer.parseInt(node.substring(colon + 1)));
    var media = new NodeId(nodeId);
    try (NettyLoops loops = NettyLoops.start(1);
        var resolver = new SystemHostResolver();
        GrpcMediaPlane plane =
            GrpcMediaPlane.start(
                GrpcMediaPlaneSettings.of(List.of(target)),
                new NodeId("bench"),
                new Incarnation(System.currentTimeMillis()),
                loops.loops().all().getFirst(),
                new Random(1),
                resolver,
                new NettyMediaChannels(loops, Optional.empty()))) {
      plane.onRestore((restarted, told, done) -> done.accept(List.of()));
      awaitPlaceable(plane);
      long beganNs = System.nanoTime();
      List<MediaAnswer> held =
          windowed((number, answers) -> plane.apply(media, spec(number), answers::add));
      out.println(rate("setup", beganNs));
      write(held);
      out.println("READY");
      System.in.readAllBytes();
      beganNs = System.nanoTime();
      windowed((number, answers) -> plane.release(media, key(number), 1, answers::add));
      out.println(rate("release", beganNs));
    }
    return 0;
  }

  private static void awaitPlaceable(GrpcMediaPlane plane) throws InterruptedException {
    var never = new CountDownLatch(1);
    long endNs = System.nanoTime() + PLACEABLE.toNanos();
    while (plane.stats().placeable() == 0) {
      if (System.nanoTime() - endNs > 0 || never.await(10, TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(
            "Expected a media node to take calls within " + PLACEABLE + ", but none does");
      }
    }
  }

  private interface Request {
    void send(int number, LinkedBlockingQueue<MediaAnswer> answers);
  }

  /** Answers in the order of the calls: each of a call is asked for once, some at once. */
  private List<MediaAnswer> windowed(Request request) throws InterruptedException {
    List<LinkedBlockingQueue<MediaAnswer>> answers = new ArrayList<>();
    List<MediaAnswer> taken = new ArrayList<>();
    for (int i = 0; i < calls; i++) {
      var answer = new LinkedBlockingQueue<MediaAnswer>();
      answers.add(answer);
      request.send(i, answer);
      if (i >= WINDOW) {
        taken.add(take(answers.get(i - WINDOW), i - WINDOW));
      }
    }
    while (taken.size() < calls) {
      taken.add(take(answers.get(taken.size()), taken.size()));
    }
    return taken;
  }

  private static MediaAnswer take(LinkedBlockingQueue<MediaAnswer> answers, int number)
      throws InterruptedException {
    MediaAnswer answer = answers.poll(ANSWER.toSeconds(), TimeUnit.SECONDS);
    if (answer instanceof Held) {
      return answer;
    }
    throw new IllegalStateException(
        "Expected the node to hold call " + number + ", but it said " + answer);
  }

  private String rate(String what, long beganNs) {
    double seconds = (System.nanoTime() - beganNs) / 1e9;
    return String.format(
        Locale.ROOT,
        "{\"%s_s\": %.3f, \"%1$s_calls_per_s\": %.0f}",
        what,
        seconds,
        calls / seconds);
  }

  private SessionSpec spec(int number) {
    return new SessionSpec(
        key(number),
        1,
        List.of(StreamSpec.rtp(0, "audio", end(caller, number), end(callee, number))),
        true,
        MEDIA_TIMEOUT);
  }

  private static CallKey key(int number) {
    return CallKey.ofBytes(ByteBuffer.allocate(16).putInt(12, number).array());
  }

  private StreamEnd end(String address, int number) {
    return new StreamEnd(
        false,
        Optional.of(phone(address, number)),
        Optional.empty(),
        false,
        true,
        true,
        PAYLOAD_TYPES,
        1,
        0);
  }

  private Endpoint phone(String address, int number) {
    return Endpoint.of(address, base + 2 * number);
  }

  private void write(List<MediaAnswer> answers) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      StreamAddresses at = ((Held) answers.get(i)).addresses().getFirst();
      lines.add(
          String.join(
              " ",
              blank(phone(caller, i)),
              blank(at.aRtp()),
              blank(phone(callee, i)),
              blank(at.bRtp())));
    }
    Files.write(flows, lines);
  }

  private static String blank(Endpoint endpoint) {
    return endpoint.ip() + " " + endpoint.port();
  }
}
