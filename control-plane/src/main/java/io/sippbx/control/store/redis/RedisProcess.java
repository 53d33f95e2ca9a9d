package io.sippbx.control.store.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sippbx.shared.config.Secret;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Redis of this process' own, for a server without another: its data lies in a folder, in an
 * append-only file, and it listens on loopback only, for who knows the password that it is given
 * anew at each start.
 *
 * <p>It ends with this process: by {@link #close}; where util-linux's {@code setpriv} is there by a
 * signal of the kernel, however this process ends; else it is found by the next start in the same
 * folder and adopted. The folder belongs to one process at a time. Where {@code setsid} is there,
 * it does not hear what a terminal tells this process. One that ends by itself is started again.
 */
public final class RedisProcess implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(RedisProcess.class);
  private static final Duration STOP = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final int PORT_TRIES = 5;
  private static final int PING_MS = 500;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration SYNC_EACH = Duration.ofSeconds(1);
  private static final Duration MOST_PAUSE = Duration.ofSeconds(10);
  private static final Duration SETTLED = Duration.ofMinutes(1);

  private final Path folder;
  private final FileChannel lock;
  private final Duration atMost;
  private final int port;
  private final String password;
  private final boolean adopted;
  private final AppendOnlySync sync;
  private final AtomicLong restarts = new AtomicLong();
  private volatile ProcessHandle process;
  private volatile boolean closing;

  /** Of the thread that keeps it. */
  private boolean isSynced = true;

  private RedisProcess(
      Path folder, FileChannel lock, Duration atMost, Found found, boolean adopted) {
    this.folder = folder;
    this.lock = lock;
    this.atMost = atMost;
    this.process = found.process();
    this.port = found.port();
    this.password = found.password();
    this.adopted = adopted;
    this.sync = new AppendOnlySync(folder);
  }

  /**
   * Looks after the server until this object is closed: one that ends by itself is started again,
   * on the same port and with the same password, so that who was connected finds it. Between two
   * attempts passes a time that doubles, up to ten seconds; it begins anew once the server has
   * lasted for a minute.
   */
  private void keep() {
    Duration pause = FIRST_PAUSE;
    try {
      while (!closing) {
        ProcessHandle current = process;
        Instant since = Instant.now();
        do {
          sync();
        } while (!endedWithin(current, SYNC_EACH));
        if (closing) {
          return;
        }
        log.atError()
            .addKeyValue("pid", current.pid())
            .addKeyValue("said", lastLine(folder.resolve("redis.log")))
            .log("redis.process_ended");
        if (since.plus(SETTLED).isBefore(Instant.now())) {
          pause = FIRST_PAUSE;
        }
        boolean isBack = false;
        while (!isBack && !closing) {
          Thread.sleep(pause);
          pause =
              pause.multipliedBy(2).compareTo(MOST_PAUSE) < 0 ? pause.multipliedBy(2) : MOST_PAUSE;
          isBack = startAgain();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What fails is tried again a second later, and told once. */
  private void sync() {
    try {
      sync.sync();
      isSynced = true;
    } catch (IOException e) {
      if (isSynced) {
        log.atError().setCause(e).log("redis.data_not_synced");
      }
      isSynced = false;
    }
  }

  /** One attempt; whether it answers. Not beside {@link #close}, which ends what there is. */
  private synchronized boolean startAgain() {
    if (closing) {
      return false;
    }
    try {
      RedisBinary binary = RedisBinary.locate(folder.resolve("bin"));
      var found = new Found(launch(folder, binary, port, password).toHandle(), port, password);
      process = found.process();
      remember(folder, found);
      if (answersBy(found, Instant.now().plus(atMost))) {
        log.atWarn()
            .addKeyValue("pid", found.process().pid())
            .addKeyValue("port", port)
            .addKeyValue("restarts", restarts.incrementAndGet())
            .log("redis.process_restarted");
        return true;
      }
      log.atError()
          .addKeyValue("said", lastLine(folder.resolve("redis.log")))
          .log("redis.process_not_restarted");
      end(found.process());
    } catch (IOException | RedisStartException e) {
      log.atError().setCause(e).log("redis.process_not_restarted");
    }
    return false;
  }

  private RedisProcess kept() {
    Thread.ofPlatform().daemon().name("redis-keep").start(this::keep);
    return this;
  }

  private record Found(ProcessHandle process, int port, String password) {}

  /**
   * Starts Redis, or adopts the one that an earlier process left behind, and waits until it has
   * read its data and answers.
   *
   * @param data a folder of its own, made if need be
   * @param atMost how long it may take
   * @throws RedisStartException if it does not come up, or the folder is another process'
   */
  public static RedisProcess start(Path data, Duration atMost) throws RedisStartException {
    FileChannel lock = null;
    try {
      Path folder = Files.createDirectories(data).toRealPath();
      lock = lock(folder);
      Instant deadline = Instant.now().plus(atMost);
      Optional<Found> orphan = orphan(folder);
      if (orphan.isPresent() && answersBy(orphan.get(), earlier(deadline, STOP))) {
        log.atInfo().addKeyValue("pid", orphan.get().process().pid()).log("redis.process_adopted");
        return new RedisProcess(folder, lock, atMost, orphan.get(), true).kept();
      }
      if (orphan.isPresent()) {
        end(orphan.get().process());
      }
      return new RedisProcess(folder, lock, atMost, spawn(folder, deadline), false).kept();
    } catch (IOException e) {
      close(lock);
      throw new RedisStartException("redis in " + data + ": " + e.getMessage(), e);
    } catch (RedisStartException e) {
      close(lock);
      throw e;
    }
  }

  private static Instant earlier(Instant deadline, Duration limit) {
    Instant other = Instant.now().plus(limit);
    return other.isBefore(deadline) ? other : deadline;
  }

  private static FileChannel lock(Path folder) throws IOException, RedisStartException {
    FileChannel channel =
        FileChannel.open(
            folder.resolve("redis.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock held;
    try {
      held = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      held = null;
    }
    if (held == null) {
      channel.close();
      throw new RedisStartException(
          "redis in " + folder + ": the folder is used by another sip-pbx that runs now");
    }
    return channel;
  }

  /** The server that an earlier process left behind, if it runs still. */
  private static Optional<Found> orphan(Path folder) throws IOException {
    var state = new Properties();
    try (Reader in = Files.newBufferedReader(folder.resolve("redis.state"))) {
      state.load(in);
      long pid = Long.parseLong(state.getProperty("pid", "0"));
      int port = Integer.parseInt(state.getProperty("port", "0"));
      String started = state.getProperty("started", "");
      String password = state.getProperty("password", "");
      // A pid alone may be somebody else's by now.
      return ProcessHandle.of(pid)
          .filter(ProcessHandle::isAlive)
          .filter(process -> startOf(process).equals(started) && !started.isEmpty())
          .map(process -> new Found(process, port, password));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      log.atWarn().addKeyValue("file", folder.resolve("redis.state")).log("redis.state_unreadable");
      return Optional.empty();
    }
  }

  private static String startOf(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toString).orElse("");
  }

  private static Found spawn(Path folder, Instant deadline)
      throws IOException, RedisStartException {
    RedisBinary binary = RedisBinary.locate(folder.resolve("bin"));
    for (int attempt = 1; ; attempt++) {
      int port = freePort();
      byte[] secret = new byte[24];
      new SecureRandom().nextBytes(secret);
      String password = HexFormat.of().formatHex(secret);
      var found = new Found(launch(folder, binary, port, password).toHandle(), port, password);
      remember(folder, found);
      if (answersBy(found, deadline)) {
        log.atInfo()
            .addKeyValue("pid", found.process().pid())
            .addKeyValue("port", port)
            .addKeyValue("version", binary.version())
            .log("redis.process_started");
        return found;
      }
      boolean ended = !found.process().isAlive();
      end(found.process());
      // Somebody may have taken the port between our look and its start.
      if (!ended || attempt == PORT_TRIES || Instant.now().isAfter(deadline)) {
        throw new RedisStartException(
            "redis in "
                + folder
                + (ended ? ": it ended at once: " : ": it does not answer: ")
                + lastLine(folder.resolve("redis.log")));
      }
    }
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /**
   * The kernel's signal comes when the thread that made the process ends, so that thread lives as
   * long as the process does.
   */
  private static Process launch(Path folder, RedisBinary binary, int port, String password)
      throws IOException {
    var command = new ArrayList<String>();
    // Else Ctrl-C in a terminal would end it together with us, before we have written what it is
    // for.
    RedisBinary.onPath("setsid").ifPresent(setsid -> command.add(setsid.toString()));
    RedisBinary.onPath("setpriv")
        .ifPresent(
            setpriv -> command.addAll(List.of(setpriv.toString(), "--pdeathsig", "KILL", "--")));
    // The configuration comes by standard input: no password in a list of processes.
    command.addAll(List.of(binary.path().toString(), "-"));
    var launched = new CompletableFuture<Process>();
    Thread.ofPlatform()
        .daemon()
        .name("redis-process")
        .start(
            () -> {
              try {
                Process process =
                    new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("redis.log").toFile())
                        .start();
                try (Writer config = process.outputWriter(UTF_8)) {
                  config.write(config(folder, port, password));
                }
                launched.complete(process);
                process.waitFor();
              } catch (IOException e) {
                launched.completeExceptionally(e);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    try {
      return launched.get(STOP.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw new IOException("cannot run " + command + ": " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new IOException("cannot run " + command + " in " + STOP, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private static String config(Path folder, int port, String password) {
    return String.join(
        "\n",
        "bind 127.0.0.1",
        "port " + port,
        "requirepass " + password,
        "dir \"" + folder.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"",
        // Written before each answer, so that what was answered survives a kill; synced each
        // second, by us.
        "appendonly yes",
        "appendfsync no",
        "save \"\"",
        "maxmemory-policy noeviction",
        "daemonize no",
        "");
  }

  private static void remember(Path folder, Found found) throws IOException {
    var state = new Properties();
    state.setProperty("pid", Long.toString(found.process().pid()));
    state.setProperty("started", startOf(found.process()));
    state.setProperty("port", Integer.toString(found.port()));
    state.setProperty("password", found.password());
    Path fresh =
        Files.createTempFile(
            folder,
            "redis.state",
            ".new",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (Writer out = Files.newBufferedWriter(fresh)) {
      state.store(out, "the redis-server that runs on this folder");
    }
    Files.move(
        fresh,
        folder.resolve("redis.state"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private static String lastLine(Path file) {
    try {
      List<String> lines = Files.readAllLines(file);
      return lines.isEmpty() ? "it said nothing" : lines.getLast();
    } catch (IOException e) {
      return "it said nothing";
    }
  }

  /** Waits until the server answers; false if it ends or time runs out. */
  private static boolean answersBy(Found found, Instant deadline) throws IOException {
    while (found.process().isAlive() && Instant.now().isBefore(deadline)) {
      if (answers(found)) {
        return true;
      }
      if (endedWithin(found.process(), POLL)) {
        return false;
      }
      if (Thread.currentThread().isInterrupted()) {
        throw new IOException("interrupted");
      }
    }
    return false;
  }

  private static boolean answers(Found found) {
    try (var socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), found.port()), PING_MS);
      socket.setSoTimeout(PING_MS);
      socket.getOutputStream().write(("AUTH " + found.password() + "\r\nPING\r\n").getBytes(UTF_8));
      var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
      return "+OK".equals(in.readLine()) && "+PONG".equals(in.readLine());
    } catch (IOException e) {
      return false;
    }
  }

  private static void end(ProcessHandle process) throws IOException {
    process.destroy();
    if (!endedWithin(process, STOP)) {
      process.destroyForcibly();
      if (!endedWithin(process, STOP)) {
        throw new IOException("process " + process.pid() + " does not end");
      }
    }
  }

  private static boolean endedWithin(ProcessHandle process, Duration time) {
    try {
      process.onExit().get(time.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      return !process.isAlive();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return !process.isAlive();
    }
  }

  private static void close(@org.jspecify.annotations.Nullable FileChannel lock) {
    if (lock != null) {
      try {
        lock.close();
      } catch (IOException e) {
        log.atWarn().setCause(e).log("redis.lock_not_released");
      }
    }
  }

  /** How to reach it. */
  public RedisSettings settings() {
    return RedisSettings.of(
            new RedisAddress.Single(new RedisAddress.Host("127.0.0.1", port), false))
        .withPassword(new Secret<>(password).value());
  }

  /** Whether it was started by an earlier process. */
  public boolean adopted() {
    return adopted;
  }

  /** Whether it runs; false too while it is being started again. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** How often it has ended by itself and was started again. */
  public long restarts() {
    return restarts.get();
  }

  /** Its number; another one after it was started again. */
  public long pid() {
    return process.pid();
  }

  /** Ends it, which leaves all data in the folder, and waits for its end. */
  @Override
  public void close() {
    closing = true;
    // An attempt to start it again that is under way comes to its end first.
    synchronized (this) {
      try {
        end(process);
      } catch (IOException e) {
        log.atError().setCause(e).log("redis.process_not_ended");
      }
    }
    close(lock);
  }
}
