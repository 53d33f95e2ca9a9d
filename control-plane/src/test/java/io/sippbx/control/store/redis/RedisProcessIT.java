package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Redis of a server without another. */
class RedisProcessIT {

  private static final Duration ENOUGH = Duration.ofSeconds(20);

  @TempDir Path data;

  /** What is killed in a test: starts Redis, says its number and waits. */
  static final class Parent {
    private Parent() {}

    public static void main(String[] args) throws Exception {
      RedisProcess redis = RedisProcess.start(Path.of(args[0]), ENOUGH);
      System.out.println("pid " + redis.pid());
      System.in.read();
      redis.close();
    }
  }

  private Process parent() throws Exception {
    return parent(System.getenv("PATH"));
  }

  private Process parent(String path) throws Exception {
    var builder =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Parent.class.getName(),
                data.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("PATH", path);
    return builder.start();
  }

  private static long pidOf(Process parent) throws Exception {
    String line = parent.inputReader().readLine();
    while (line != null && !line.startsWith("pid ")) {
      line = parent.inputReader().readLine();
    }
    assertThat(line).as("what the parent says").isNotNull();
    return Long.parseLong(line.substring("pid ".length()));
  }

  @Test
  void keepsItsDataFromStartToStart() throws Exception {
    long pid;
    try (var redis = RedisProcess.start(data, ENOUGH)) {
      assertThat(redis.adopted()).isFalse();
      assertThat(redis.isAlive()).isTrue();
      pid = redis.pid();
      try (var real = new RealStore(redis.settings())) {
        assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a")))
            .isInstanceOf(CommitAnswer.Applied.class);
      }
    }
    assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    try (var redis = RedisProcess.start(data, ENOUGH);
        var real = new RealStore(redis.settings())) {
      assertThat(redis.pid()).isNotEqualTo(pid);
      assertThat(RedisFailureIT.read(real))
          .isEqualTo(new ReadAnswer.Found<>(new Versioned<>(1, new CommitId(1), "a")));
    }
  }

  @Test
  void isStartedAgainWhereItWasWithWhatItHeld() throws Exception {
    try (var redis = RedisProcess.start(data, ENOUGH);
        var real = new RealStore(redis.settings())) {
      assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a")))
          .isInstanceOf(CommitAnswer.Applied.class);
      for (int times = 1; times <= 2; times++) {
        long pid = redis.pid();
        int expected = times;
        assertThat(ProcessHandle.of(pid).orElseThrow().destroyForcibly()).isTrue();
        RedisServer.await("it to be started again", 30_000, () -> redis.restarts() == expected);
        assertThat(redis.pid()).isNotEqualTo(pid);
        assertThat(redis.isAlive()).isTrue();
        RedisServer.await(
            "its data to be read by the same connection",
            30_000,
            () ->
                RedisFailureIT.read(real)
                    .equals(new ReadAnswer.Found<>(new Versioned<>(1, new CommitId(1), "a"))));
      }
    }
  }

  @Test
  void isNotStartedAgainOnceClosed() throws Exception {
    RedisProcess redis = RedisProcess.start(data, ENOUGH);
    long pid = redis.pid();
    redis.close();
    assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    // The folder is free for the next, which finds nobody there.
    try (var next = RedisProcess.start(data, ENOUGH)) {
      assertThat(next.adopted()).isFalse();
      assertThat(redis.restarts()).isZero();
    }
  }

  @Test
  void letsNobodyInWithoutThePassword() throws Exception {
    try (var redis = RedisProcess.start(data, ENOUGH);
        var loops = io.sippbx.control.sip.transport.NettyLoops.start(1)) {
      assertThatThrownBy(
              () ->
                  RedisStore.start(
                      RedisSettings.of(redis.settings().address()),
                      RealStore.secret("s"),
                      loops.loops(),
                      Optional.empty(),
                      Duration.ofSeconds(1)))
          .isInstanceOf(RedisStartException.class);
      assertThat(
              PosixFilePermissions.toString(
                  Files.getPosixFilePermissions(data.resolve("redis.state"))))
          .isEqualTo("rw-------");
      List<String> arguments = new ArrayList<>();
      ProcessHandle.of(redis.pid())
          .flatMap(each -> each.info().arguments())
          .ifPresent(each -> arguments.addAll(List.of(each)));
      var state = new Properties();
      try (var in = Files.newBufferedReader(data.resolve("redis.state"))) {
        state.load(in);
      }
      assertThat(String.join(" ", arguments)).doesNotContain(state.getProperty("password"));
    }
  }

  /** Ctrl-C goes to every process of the terminal's group: this one is in another. */
  @Test
  void doesNotHearWhatTheTerminalTellsItsParent() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        RedisBinary.onPath("setsid").isPresent(), "setsid is there");
    try (var redis = RedisProcess.start(data, ENOUGH)) {
      assertThat(group(redis.pid())).isEqualTo(redis.pid());
      assertThat(group(ProcessHandle.current().pid())).isNotEqualTo(redis.pid());
    }
  }

  private static long group(long pid) throws Exception {
    String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
    // After the name, which may hold anything: state, parent, group.
    return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[2]);
  }

  @Test
  void refusesAFolderInUse() throws Exception {
    try (var redis = RedisProcess.start(data, ENOUGH)) {
      assertThat(redis.isAlive()).isTrue();
      assertThatThrownBy(() -> RedisProcess.start(data, ENOUGH))
          .isInstanceOf(RedisStartException.class)
          .hasMessageContaining("used by another")
          .hasMessageContaining(data.toString());
    }
  }

  @Test
  void diesWithItsParent() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeTrue(
        RedisBinary.onPath("setpriv").isPresent(), "setpriv is there");
    Process parent = parent();
    long pid = pidOf(parent);
    try {
      assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isPresent();
      parent.destroyForcibly();
      RedisServer.await(
          "Redis to die with its parent",
          () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
    } finally {
      parent.destroyForcibly();
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  /** Where the kernel does not end it: without setpriv on the PATH. */
  @Test
  void isAdoptedByTheNextStartWhereItOutlivedItsParent() throws Exception {
    Process parent = parent("/nonexistent");
    long pid = pidOf(parent);
    try {
      parent.destroyForcibly();
      parent.onExit().join();
      assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isPresent();
      try (var redis = RedisProcess.start(data, ENOUGH)) {
        assertThat(redis.adopted()).isTrue();
        assertThat(redis.pid()).isEqualTo(pid);
        try (var real = new RealStore(redis.settings())) {
          assertThat(RedisFailureIT.send(real, RedisFailureIT.commit(Optional.empty(), 1, "a")))
              .isInstanceOf(CommitAnswer.Applied.class);
        }
      }
      RedisServer.await(
          "the adopted Redis to end with its new parent",
          () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
    } finally {
      parent.destroyForcibly();
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }
}
