package io.sippbx.control.store.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.sippbx.control.loop.Loop;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The way to Redis and back: every command has a time-out and at most one answer, which is given on
 * the asker's loop and never inline; a breaker for each lane keeps commands from a server that does
 * not answer. No thread waits. For any thread.
 */
final class RedisLink {

  private static final Logger log = LoggerFactory.getLogger(RedisLink.class);
  private static final RateLimitedLog faults = RateLimitedLog.of(log);

  /** Errors by which a server says that it, and not the command, is at fault. */
  private static final List<String> UNABLE =
      List.of(
          "LOADING",
          "MASTERDOWN",
          "CLUSTERDOWN",
          "READONLY",
          "OOM",
          "MISCONF",
          "NOREPLICAS",
          "TRYAGAIN",
          "BUSY",
          "NOAUTH",
          "NOPERM",
          "WRONGPASS",
          "MOVED",
          "ASK");

  /** Until a command is tried again that was never sent. */
  private static final Duration RESEND = Duration.ofMillis(10);

  private final RedisConnector connector;
  private final RedisSettings settings;
  private final Loop home;
  private final Breaker[] lanes;
  private final Replicas replicas;
  private final Map<Loop, Deadlines> deadlines = new ConcurrentHashMap<>();
  private final AtomicInteger pending = new AtomicInteger();
  private final LongAdder sent = new LongAdder();
  private final LongAdder timeouts = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final LongAdder refusals = new LongAdder();
  private volatile boolean closed;

  /** A command on a connection. */
  interface Command {
    CompletionStage<?> send(RedisClusterAsyncCommands<byte[], byte[]> redis);
  }

  /**
   * @param lanes breakers: one where there is one server; a Redis Cluster has one for each
   *     partition and one for all else, so that one of its masters can be gone by itself
   * @param home where probes are made
   */
  RedisLink(RedisConnector connector, RedisSettings settings, Loop home, int lanes) {
    this.connector = connector;
    this.settings = settings;
    this.home = home;
    this.replicas = new Replicas(connector, settings.replication());
    this.lanes = new Breaker[lanes];
    for (int i = 0; i < lanes; i++) {
      this.lanes[i] = new Breaker(settings.breakerFailures());
    }
  }

  /** {@link #run} for a commit, which waits for replicas where that is wanted. */
  void commit(
      int lane, Loop loop, Script script, byte[][] keys, byte[][] args, Consumer<Reply> answer) {
    ask(
        lane,
        loop,
        redis -> replicas.await(loop, redis, keys[0], () -> eval(redis, script, keys, args)),
        answer);
  }

  /** Runs a script by its hash, and with its text where the server does not know it. */
  void run(
      int lane, Loop loop, Script script, byte[][] keys, byte[][] args, Consumer<Reply> answer) {
    ask(lane, loop, redis -> eval(redis, script, keys, args), answer);
  }

  private static CompletionStage<?> eval(
      RedisClusterAsyncCommands<byte[], byte[]> redis,
      Script script,
      byte[][] keys,
      byte[][] args) {
    CompletionStage<List<Object>> byHash =
        redis.evalsha(script.sha1(), ScriptOutputType.MULTI, keys, args);
    // The server has not run it: it has restarted or failed over, or sees it for the first time.
    // Then a WAIT of this turn may come before it, as only a handful of commits do.
    return byHash.exceptionallyCompose(
        error ->
            unwrap(error) instanceof RedisNoScriptException
                ? redis.eval(script.text(), ScriptOutputType.MULTI, keys, args)
                : CompletableFuture.failedStage(error));
  }

  /**
   * Sends a command.
   *
   * @param lane of any number; those that there are share them
   */
  void ask(int lane, Loop loop, Command command, Consumer<Reply> answer) {
    Breaker breaker = lanes[Math.floorMod(lane, lanes.length)];
    RedisClusterAsyncCommands<byte[], byte[]> redis = connector.commands();
    String refusal = null;
    if (closed) {
      refusal = "the store is closed";
    } else if (!breaker.allows()) {
      refusal = "Redis has not answered " + settings.breakerFailures() + " times: nothing is sent";
    } else if (redis == null) {
      refusal = "not connected to Redis: " + connector.lastError();
      failed(breaker, lane);
    } else if (pending.get() >= settings.maxPending()) {
      refusal = settings.maxPending() + " commands wait for an answer (redis.max_pending)";
    }
    if (refusal != null || redis == null) {
      refusals.increment();
      var reply = new Reply.Failed(String.valueOf(refusal));
      loop.execute(() -> answer.accept(reply));
      return;
    }
    sent.increment();
    pending.incrementAndGet();
    var exchange = new Exchange(breaker, lane, loop, command, answer);
    // From the asker's thread: on the loop, or before it knows of this exchange.
    deadlines
        .computeIfAbsent(loop, each -> new Deadlines(each, settings.commandTimeout()))
        .add(exchange);
    exchange.send(redis);
  }

  /** One command and its answer; after its start it lives on the asker's loop. */
  private final class Exchange implements Deadlines.Bounded {
    private final Breaker breaker;
    private final int lane;
    private final Loop loop;

    // Until the answer is given: what comes after it in line may still have to wait.
    private @Nullable Command command;
    private @Nullable Consumer<Reply> answer;

    Exchange(Breaker breaker, int lane, Loop loop, Command command, Consumer<Reply> answer) {
      this.breaker = breaker;
      this.lane = lane;
      this.loop = loop;
      this.command = command;
      this.answer = answer;
    }

    void send(RedisClusterAsyncCommands<byte[], byte[]> redis) {
      Command what = command;
      if (what == null) {
        return;
      }
      try {
        what.send(redis).whenComplete(this::completed);
      } catch (RuntimeException e) {
        completed(null, e);
      }
    }

    private void sendAgain() {
      RedisClusterAsyncCommands<byte[], byte[]> redis = connector.commands();
      if (redis != null) {
        send(redis);
      }
    }

    @Override
    public boolean isOver() {
      return answer == null;
    }

    @Override
    public void timedOut() {
      Consumer<Reply> waiting = finish();
      if (waiting != null) {
        timeouts.increment();
        failed(breaker, lane);
        waiting.accept(
            new Reply.Failed("no answer in " + settings.commandTimeout().toMillis() + " ms"));
      }
    }

    void completed(@Nullable Object value, @Nullable Throwable error) {
      if (error != null && connector.wasNotSent(unwrap(error))) {
        loop.execute(() -> loop.schedule(RESEND, this::sendAgain));
        return;
      }
      Reply reply = reply(value, error);
      boolean unable = error != null && isUnable(unwrap(error));
      if (error != null && String.valueOf(unwrap(error).getMessage()).startsWith("READONLY")) {
        connector.primaryMayHaveMoved();
      }
      loop.execute(
          () -> {
            Consumer<Reply> waiting = finish();
            if (waiting != null) {
              if (unable) {
                failures.increment();
                failed(breaker, lane);
              } else {
                breaker.succeeded();
              }
              waiting.accept(reply);
            }
          });
    }

    /** Who is to be told, the first time. */
    private @Nullable Consumer<Reply> finish() {
      Consumer<Reply> waiting = answer;
      if (waiting != null) {
        answer = null;
        command = null;
        pending.decrementAndGet();
      }
      return waiting;
    }
  }

  private static Reply reply(@Nullable Object value, @Nullable Throwable error) {
    if (error == null) {
      return new Reply.Answered(value == null ? List.of() : value);
    }
    Throwable cause = unwrap(error);
    faults
        .at(Level.WARN, "redis.command_failed")
        .addKeyValue("error", cause.toString())
        .log("redis.command_failed");
    return new Reply.Failed(String.valueOf(cause.getMessage()));
  }

  private static boolean isUnable(Throwable error) {
    if (error instanceof RedisCommandExecutionException) {
      String message = String.valueOf(error.getMessage());
      return UNABLE.stream().anyMatch(message::startsWith);
    }
    return true;
  }

  private static Throwable unwrap(Throwable error) {
    return error instanceof CompletionException && error.getCause() != null
        ? error.getCause()
        : error;
  }

  private void failed(Breaker breaker, int lane) {
    if (breaker.failed()) {
      log.atWarn()
          .addKeyValue("failures", settings.breakerFailures())
          .addKeyValue("lane", Math.floorMod(lane, lanes.length))
          .log("redis.breaker_opened");
      probeLater(breaker, lane);
    }
  }

  private void probeLater(Breaker breaker, int lane) {
    if (!closed) {
      home.execute(() -> home.schedule(settings.breakerPause(), () -> probe(breaker, lane)));
    }
  }

  private void probe(Breaker breaker, int lane) {
    RedisClusterAsyncCommands<byte[], byte[]> redis = connector.commands();
    if (closed) {
      return;
    }
    if (redis == null) {
      connector.reconnect();
      probeLater(breaker, lane);
      return;
    }
    var probe = new Probe(breaker, lane);
    probe.timer = home.schedule(settings.commandTimeout(), () -> probe.finish(false));
    try {
      connector
          .probe(redis, lane)
          .whenComplete((value, error) -> home.execute(() -> probe.finish(error == null)));
    } catch (RuntimeException e) {
      home.execute(() -> probe.finish(false));
    }
  }

  /** A probe under way; lives on the home loop. */
  private final class Probe {
    private final Breaker breaker;
    private final int lane;
    private Loop.@Nullable Timer timer;
    private boolean done;

    Probe(Breaker breaker, int lane) {
      this.breaker = breaker;
      this.lane = lane;
    }

    void finish(boolean answered) {
      if (done) {
        return;
      }
      done = true;
      if (timer != null) {
        timer.cancel();
      }
      if (answered) {
        breaker.probed();
        log.atInfo()
            .addKeyValue("lane", Math.floorMod(lane, lanes.length))
            .log("redis.breaker_closed");
      } else {
        // The connection may be one that will never say anything again.
        connector.reconnect();
        probeLater(breaker, lane);
      }
    }
  }

  RedisStats stats() {
    int open = 0;
    long openings = 0;
    for (Breaker each : lanes) {
      open += each.allows() ? 0 : 1;
      openings += each.openings();
    }
    return new RedisStats(
        sent.sum(),
        pending.get(),
        timeouts.sum(),
        failures.sum(),
        refusals.sum(),
        connector.commands() != null,
        lanes.length,
        open,
        openings,
        connector.connects(),
        connector.connectFailures(),
        connector.otherServers(),
        replicas.notReplicated());
  }

  boolean isClosed() {
    return closed;
  }

  void close() {
    closed = true;
  }
}
