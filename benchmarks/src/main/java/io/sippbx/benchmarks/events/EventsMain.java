package io.sippbx.benchmarks.events;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sippbx.benchmarks.survival.Executable;
import io.sippbx.control.event.OutboxRelay;
import io.sippbx.control.event.kafka.KafkaPublisher;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.redis.RedisAddress;
import io.sippbx.control.store.redis.RedisSettings;
import io.sippbx.control.store.redis.RedisStore;
import io.sippbx.servers.KafkaBroker;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.kafka.KafkaAccess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./bench events}: commits calls to a real Redis at a rate, has their events published to a
 * real broker as a control node does, and waits for their lines in the file that a real {@code
 * sip-pbx event-plane --cdr} writes. Half-way the broker is killed and started again.
 */
@Command(
    name = "./bench events",
    mixinStandardHelpOptions = true,
    description = "Measures events from the commit by outbox and Kafka to the CDR file.")
final class EventsMain implements Callable<Integer> {

  private static final int EVENTS_OF_A_CALL = 4;
  private static final int WARM_S = 10;
  private static final long TICK_NS = TimeUnit.MILLISECONDS.toNanos(5);
  private static final long DRAIN_NS = TimeUnit.SECONDS.toNanos(120);

  @Option(
      names = "--calls",
      description = "Calls a second, of four events each (${DEFAULT-VALUE}).")
  private int callsPerSecond = 250;

  @Option(names = "--seconds", description = "For how long (${DEFAULT-VALUE}).")
  private int seconds = 40;

  @Option(names = "--app", required = true, description = "Folder of the executable.")
  private Path app = Path.of("");

  @Option(names = "--work", required = true, description = "Folder for data and logs.")
  private Path work = Path.of("");

  @Option(names = "--json", required = true, description = "File for the result.")
  private Path json = Path.of("");

  /** A call whose record was seen. */
  private record Seen(long endedNs, long seenNs) {
    double delayMs() {
      return (seenNs - endedNs) / 1e6;
    }
  }

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new EventsMain()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    Path run = Files.createTempDirectory(Files.createDirectories(work), "run-");
    Path cdrs = Files.createDirectories(run.resolve("cdr"));
    int redisPort = freePort();
    Process redis =
        start(
            run,
            "redis",
            List.of(
                "redis-server",
                "--port",
                "" + redisPort,
                "--bind",
                "127.0.0.1",
                "--appendonly",
                "yes",
                "--save",
                "",
                "--dir",
                run.toString()));
    KafkaBroker broker = KafkaBroker.start(run.resolve("broker"));
    Process consumer = start(run, "event-plane", consumer(broker, cdrs));
    try (NettyLoops loops = NettyLoops.start(1)) {
      RedisStore store =
          RedisStore.start(
              RedisSettings.of(
                  new RedisAddress.Single(new RedisAddress.Host("127.0.0.1", redisPort), false)),
              new Secret<>(new byte[32]),
              loops.loops(),
              Optional.empty(),
              Duration.ofSeconds(20));
      measure(new Site(redis, broker, consumer, store, loops, cdrs));
      store.close();
    } finally {
      consumer.destroyForcibly();
      broker.close();
      redis.destroyForcibly();
    }
    return 0;
  }

  /** All that takes part. */
  private record Site(
      Process redis,
      KafkaBroker broker,
      Process consumer,
      RedisStore store,
      NettyLoops loops,
      Path cdrs) {

    /** CPU seconds so far, by who used them; of the broker until it is killed. */
    Map<String, Double> cpu() throws IOException {
      var used = new LinkedHashMap<String, Double>();
      used.put("commits_and_publisher", cpu(ProcessHandle.current()));
      used.put("redis", cpu(redis.toHandle()));
      used.put("event_plane", cpu(consumer.toHandle()));
      return used;
    }

    private static double cpu(ProcessHandle process) {
      return process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private List<String> consumer(KafkaBroker broker, Path cdrs) throws IOException {
    var command = new ArrayList<>(Executable.command(app));
    command.addAll(List.of("event-plane", "--cdr"));
    for (String each :
        List.of(
            "kafka.bootstrap_servers=" + broker.bootstrapServers(),
            "cdr.output_dir=" + cdrs,
            "monitoring.prometheus_port=0",
            "monitoring.health_check_port=0")) {
      command.addAll(List.of("--set", each));
    }
    return command;
  }

  private static Process start(Path folder, String name, List<String> command) throws IOException {
    Process started =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(name + ".log").toFile())
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
    return started;
  }

  private void measure(Site site) throws Exception {
    KafkaConfig defaults = ConfigLoader.defaults().kafka();
    String[] at = site.broker().bootstrapServers().split(":", -1);
    KafkaAccess access =
        KafkaAccess.of(
            new KafkaConfig(
                List.of(new HostPort(at[0], Integer.parseInt(at[1]))),
                Optional.empty(),
                defaults.login(),
                defaults.topics(),
                defaults.maxInFlight()));
    KafkaPublisher publisher =
        KafkaPublisher.start(
            () -> new KafkaProducer<>(access.producer("bench")),
            new KafkaPublisher.Topics(defaults.topics().calls(), defaults.topics().registrations()),
            defaults.maxInFlight());
    var relay =
        new OutboxRelay(
            site.store().partitions(),
            site.loops().loops(),
            publisher,
            (partition, node) -> true,
            OutboxRelay.PROMPT);
    relay.start();
    var calls =
        new CallsOfEvents(
            site.store().calls(CallsOfEvents.codec(), OutboxLimit.NONE),
            site.loops().loops(),
            relay);
    var records = new RecordsSeen(site.cdrs());
    // The first calls warm everything up, and make the topic known to everybody.
    var warm = new ArrayList<Seen>();
    int slowly = Math.max(1, callsPerSecond / 5);
    load(calls, records, warm, slowly, WARM_S, () -> true);
    await(calls, records, warm, (long) slowly * WARM_S);
    System.err.println("bench: warm, " + warm.size() + " calls");

    Map<String, Double> before = site.cpu();
    long eventsBefore = calls.events.sum();
    long startNs = System.nanoTime();
    var seen = new ArrayList<Seen>();
    var outage = new long[2];
    load(
        calls,
        records,
        seen,
        callsPerSecond,
        seconds,
        () -> {
          outage[0] = System.nanoTime();
          site.broker().kill();
          site.broker().restart();
          outage[1] = System.nanoTime();
          return true;
        });
    await(calls, records, seen, (long) callsPerSecond * seconds);
    long events = calls.events.sum() - eventsBefore;
    write(site, before, events, startNs, outage, seen, calls);
    relay.close();
    publisher.close();
  }

  /** Begins calls at a rate and looks for their records; half-way something else happens. */
  private static void load(
      CallsOfEvents calls,
      RecordsSeen records,
      List<Seen> seen,
      int rate,
      int seconds,
      Callable<Boolean> halfWay)
      throws InterruptedException, ExecutionException {
    long startNs = System.nanoTime();
    long begun = 0;
    var task = new FutureTask<>(halfWay);
    Thread beside =
        Thread.ofPlatform()
            .daemon()
            .unstarted(
                () -> {
                  task.run();
                  // A broker ends with the thread that started it.
                  while (!Thread.currentThread().isInterrupted()) {
                    LockSupport.park(task);
                  }
                });
    while (begun < (long) rate * seconds) {
      long due = (System.nanoTime() - startNs) * rate / TimeUnit.SECONDS.toNanos(1);
      for (; begun < due && begun < (long) rate * seconds; begun++) {
        calls.begin();
      }
      look(calls, records, seen);
      if (beside.getState() == Thread.State.NEW && begun >= (long) rate * seconds / 2) {
        beside.start();
      }
      LockSupport.parkNanos(TICK_NS);
    }
    task.get();
  }

  private static void look(CallsOfEvents calls, RecordsSeen records, List<Seen> seen) {
    List<String> now = records.next();
    long nowNs = System.nanoTime();
    for (String call : now) {
      Long endedNs = calls.endedNs.remove(call);
      // A line may be there before we are told of the commit.
      seen.add(new Seen(endedNs == null ? nowNs : endedNs, nowNs));
    }
  }

  private static void await(CallsOfEvents calls, RecordsSeen records, List<Seen> seen, long begun)
      throws IOException {
    long end = System.nanoTime() + DRAIN_NS;
    while (seen.size() < begun) {
      if (System.nanoTime() > end) {
        throw new IOException(begun - seen.size() + " calls have no record");
      }
      look(calls, records, seen);
      LockSupport.parkNanos(TICK_NS);
    }
  }

  private void write(
      Site site,
      Map<String, Double> before,
      long events,
      long startNs,
      long[] outage,
      List<Seen> seen,
      CallsOfEvents calls)
      throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode result = mapper.createObjectNode();
    result.put("calls_per_second", callsPerSecond);
    result.put("events_per_second", callsPerSecond * EVENTS_OF_A_CALL);
    result.put("seconds", seconds);
    result.put("cpus", Runtime.getRuntime().availableProcessors());
    result.put("events", events);
    result.put("records", seen.size());
    result.put("failed_commits", calls.failures.sum());
    double downS = (outage[0] - startNs) / 1e9;
    double upS = (outage[1] - startNs) / 1e9;
    result.put("broker_killed_at_s", downS);
    result.put("broker_back_at_s", upS);
    put(result.putObject("delay_ms"), seen.stream().filter(each -> each.seenNs() < outage[0]));
    put(
        result.putObject("delay_ms_with_restart"),
        seen.stream().filter(each -> each.seenNs() >= outage[0]));
    Map<String, Double> after = site.cpu();
    ObjectNode cpu = result.putObject("cpu_us_per_event");
    after.forEach(
        (who, used) -> cpu.put(who, (used - before.getOrDefault(who, 0.0)) * 1e6 / events));
    ArrayNode points = result.putArray("points");
    for (Seen each : seen) {
      points.addArray().add((each.endedNs() - startNs) / 1e9).add(each.delayMs());
    }
    Files.createDirectories(json.toAbsolutePath().getParent());
    mapper.writeValue(json.toFile(), result);
    result.remove("points");
    System.out.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(result));
  }

  private static void put(ObjectNode node, Stream<Seen> seen) {
    double[] sorted = seen.mapToDouble(Seen::delayMs).sorted().toArray();
    node.put("calls", sorted.length);
    if (sorted.length > 0) {
      node.put("p50", sorted[sorted.length / 2]);
      node.put("p99", sorted[(int) (sorted.length * 0.99)]);
      node.put("max", Arrays.stream(sorted).max().orElse(0));
    }
  }
}
