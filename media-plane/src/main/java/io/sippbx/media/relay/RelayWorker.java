package io.sippbx.media.relay;

import io.sippbx.media.relay.OpenResult.BindFailed;
import io.sippbx.media.relay.OpenResult.Opened;
import io.sippbx.media.relay.OpenResult.Refusal;
import io.sippbx.media.relay.OpenResult.Refused;
import io.sippbx.media.relay.PacketLoop.BindAnswer;
import io.sippbx.media.relay.PacketLoop.SocketOptions;
import io.sippbx.media.relay.RelaySession.Opening;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns some of the sessions: does what is asked of them, and looks after their silences. One
 * thread, that of its loop; others only enqueue.
 */
final class RelayWorker implements PacketLoop.Owner {

  // Slots of the tally.
  static final int RTP_PACKETS = 0;
  static final int RTP_BYTES = 1;
  static final int RTCP_PACKETS = 2;
  static final int SENT_PACKETS = 3;
  static final int SENT_BYTES = 4;
  static final int STRAY = 5;
  static final int INVALID = 6;
  static final int DIRECTION = 7;
  static final int UNSENT = 8;
  static final int BY_KERNEL = 9;
  static final int BIND_FAILURES = 10;
  static final int SOCKETS = 11;
  static final int OTHER_PACKETS = 12;
  static final int STUN = 13;
  private static final int SLOTS = 14;

  /** Sessions that are served before the sockets get their turn: binding takes its time. */
  private static final int SESSIONS_A_TURN = 16;

  /** A session's kernel drops are looked at once in so many ticks: every 10 s. */
  private static final int TICKS_A_ROUND = 100;

  private static final Logger LOG = LoggerFactory.getLogger(RelayWorker.class);

  final Tally tally = new Tally(SLOTS);
  final AtomicInteger sessionCount = new AtomicInteger();
  final AtomicLong defects = new AtomicLong();

  private final PacketLoop loop;
  private final RelaySettings settings;
  private final RelayListener listener;
  private final Consumer<RelaySession> onEnded;

  /** Bounded by the sessions: each stands in it at most once. */
  private final Queue<RelaySession> asking = new ConcurrentLinkedQueue<>();

  private volatile boolean isStopped;

  private final List<RelaySession> sessions = new ArrayList<>();
  private int tickOfRound;
  private boolean bufferSeen;

  /**
   * @param onEnded hears of each session that is not there any more, before that is answered
   */
  RelayWorker(
      PacketLoop loop,
      RelaySettings settings,
      RelayListener listener,
      Consumer<RelaySession> onEnded) {
    this.loop = loop;
    this.settings = settings;
    this.listener = listener;
    this.onEnded = onEnded;
  }

  void start() {
    loop.start(this);
  }

  void stop() {
    loop.stop();
  }

  // ---- from any thread

  void enqueue(RelaySession session) {
    asking.add(session);
    if (isStopped) {
      // the loop may have looked for the last time before the session was added
      refuseAll();
    } else {
      loop.wakeUp();
    }
  }

  // ---- from the loop's thread

  long nowNs() {
    return loop.nowNs();
  }

  @Override
  public void wokenUp() {
    for (int i = 0; i < SESSIONS_A_TURN; i++) {
      RelaySession session = asking.poll();
      if (session == null) {
        return;
      }
      serve(session);
    }
    loop.wakeUp();
  }

  private void serve(RelaySession session) {
    RelaySession.Requests requests = session.takeRequests();
    follow(session, requests.planBefore());
    Opening opening = requests.opening();
    if (opening != null) {
      open(session, opening);
    }
    follow(session, requests.planAfter());
    if (!requests.closers().isEmpty()) {
      close(session, requests.closers());
    }
  }

  private void follow(RelaySession session, @Nullable SessionPlan plan) {
    if (plan != null && session.isOpen()) {
      session.follow(plan, nowNs());
    }
  }

  /** Makes a session have the sockets that are wanted: all of them when it is new. */
  private void open(RelaySession session, Opening opening) {
    if (session.hasEnded) {
      session.openingDone();
      answer(opening.answer(), new Refused(Refusal.CLOSED));
      return;
    }
    var rebinding = new Rebinding(this, session, opening);
    BindFailed failed = rebinding.bind();
    if (failed != null) {
      notOpened(session, opening, failed);
      return;
    }
    boolean isNew = !session.isOpen();
    rebinding.carryOut();
    if (isNew) {
      session.position = sessions.size();
      sessions.add(session);
    }
    session.follow(opening.plan(), nowNs());
    List<StreamPorts> ports = session.streams().stream().map(RelayStream::ports).toList();
    Runnable answering =
        () -> {
          session.openingDone();
          answer(opening.answer(), new Opened(ports));
        };
    if (rebinding.hasClosed()) {
      loop.afterClosing(answering);
    } else {
      answering.run();
    }
  }

  private void notOpened(RelaySession session, Opening opening, BindFailed failed) {
    boolean isNew = !session.isOpen();
    tally.add(BIND_FAILURES, 1);
    session.hasEnded = isNew;
    loop.afterClosing(
        () -> {
          if (isNew) {
            ended(session);
          }
          session.openingDone();
          answer(opening.answer(), failed);
        });
  }

  SocketOptions socketOptions(MediaKind kind) {
    return new SocketOptions(
        settings.receiveBufferBytes(),
        settings.sendBufferBytes(),
        switch (kind) {
          case AUDIO -> settings.audioDscp();
          case VIDEO -> settings.videoDscp();
          case OTHER -> 0;
        });
  }

  BindAnswer bind(Endpoint local, SocketOptions options) {
    BindAnswer answer = loop.bind(local, options);
    if (!bufferSeen && answer instanceof BindAnswer.Bound(PacketSocket socket)) {
      // every socket asks for the same, of which the system gives as much to each
      bufferSeen = true;
      warnIfSmall(socket.receiveBufferBytes());
    }
    return answer;
  }

  void countSockets(int more) {
    tally.add(SOCKETS, more);
  }

  private void warnIfSmall(int givenBytes) {
    if (givenBytes < settings.receiveBufferBytes()) {
      LOG.atWarn()
          .addKeyValue("asked_bytes", settings.receiveBufferBytes())
          .addKeyValue("given_bytes", givenBytes)
          .log("relay.receive_buffer_small");
    }
  }

  private void close(RelaySession session, List<Consumer<SessionCounts>> closers) {
    boolean wasOpen = session.isOpen() && !session.hasEnded;
    session.hasEnded = true;
    if (wasOpen) {
      forget(session);
      for (RelayStream stream : session.streams()) {
        close(stream);
      }
    }
    loop.afterClosing(
        () -> {
          if (wasOpen) {
            ended(session);
          }
          SessionCounts last = session.counts();
          for (Consumer<SessionCounts> closer : closers) {
            answer(closer, last);
          }
        });
  }

  void close(RelayStream stream) {
    lookAtKernelDrops(stream.a());
    lookAtKernelDrops(stream.b());
    stream.close();
    countSockets(-stream.sockets());
  }

  private void forget(RelaySession session) {
    RelaySession moved = sessions.removeLast();
    if (moved != session) {
      sessions.set(session.position, moved);
      moved.position = session.position;
    }
  }

  private void ended(RelaySession session) {
    sessionCount.decrementAndGet();
    onEnded.accept(session);
  }

  @Override
  public void tick() {
    long nowNs = nowNs();
    for (int i = 0; i < sessions.size(); i++) {
      sessions.get(i).lookForSilence(nowNs);
    }
    tickOfRound = (tickOfRound + 1) % TICKS_A_ROUND;
    for (int i = tickOfRound; i < sessions.size(); i += TICKS_A_ROUND) {
      for (RelayStream stream : sessions.get(i).streams()) {
        lookAtKernelDrops(stream.a());
        lookAtKernelDrops(stream.b());
      }
    }
  }

  void lookAtKernelDrops(StreamSide side) {
    tally.add(BY_KERNEL, side.lookAtKernelDrops());
  }

  @Override
  public void stopped() {
    sessions.forEach(session -> session.hasEnded = true);
    sessions.clear();
    tally.set(SOCKETS, 0);
    isStopped = true;
    refuseAll();
  }

  private void refuseAll() {
    for (RelaySession session = asking.poll(); session != null; session = asking.poll()) {
      RelaySession.Requests requests = session.takeRequests();
      Opening opening = requests.opening();
      if (opening != null) {
        session.openingDone();
        answer(opening.answer(), new Refused(Refusal.CLOSED));
      }
      for (Consumer<SessionCounts> closer : requests.closers()) {
        answer(closer, session.counts());
      }
    }
  }

  @Override
  public void failed(RuntimeException defect) {
    // the first in full; the rest are counted, so that a defect met by each packet floods no log
    if (defects.incrementAndGet() == 1) {
      LOG.atError().setCause(defect).log("relay.defect");
    }
  }

  // ---- to the outside

  void firstPacket(RelaySession session, int streamIndex, End end) {
    call(() -> listener.firstPacket(session.key, streamIndex, end));
  }

  void silence(RelaySession session, int streamIndex, End end) {
    call(() -> listener.silence(session.key, streamIndex, end));
  }

  void mediaTimeout(RelaySession session) {
    call(() -> listener.mediaTimeout(session.key));
  }

  private <T> void answer(Consumer<T> consumer, T value) {
    call(() -> consumer.accept(value));
  }

  /** Others' code must not end the loop's turn. */
  private void call(Runnable outside) {
    try {
      outside.run();
    } catch (RuntimeException e) {
      failed(e);
    }
  }
}
