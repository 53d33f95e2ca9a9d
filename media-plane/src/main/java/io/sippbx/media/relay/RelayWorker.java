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
  private static final int SLOTS = 12;

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
  private boolean bufferWarned;

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

  private void open(RelaySession session, Opening opening) {
    boolean isNew = !session.isOpen();
    if (session.hasEnded) {
      session.openingDone();
      answer(opening.answer(), new Refused(Refusal.CLOSED));
      return;
    }
    var bound = new ArrayList<RelayStream>();
    BindFailed failed = null;
    for (StreamPorts ports : opening.ports()) {
      failed = bind(session, ports, kind(opening.plan(), ports.index()), bound);
      if (failed != null) {
        break;
      }
    }
    if (failed != null) {
      bound.forEach(RelayStream::close);
      tally.add(BIND_FAILURES, 1);
      BindFailed result = failed;
      session.hasEnded = isNew;
      loop.afterClosing(
          () -> {
            if (isNew) {
              ended(session);
            }
            session.openingDone();
            answer(opening.answer(), result);
          });
      return;
    }
    bound.forEach(stream -> tally.add(SOCKETS, stream.sockets()));
    session.add(bound);
    if (isNew) {
      session.position = sessions.size();
      sessions.add(session);
    }
    session.follow(opening.plan(), nowNs());
    session.openingDone();
    answer(opening.answer(), new Opened(bound.stream().map(RelayStream::ports).toList()));
  }

  private static MediaKind kind(SessionPlan plan, int streamIndex) {
    for (StreamPlan stream : plan.streams()) {
      if (stream.index() == streamIndex) {
        return stream.kind();
      }
    }
    return MediaKind.OTHER;
  }

  /** Adds the stream to {@code bound}, or else leaves no socket of it and says why. */
  private @Nullable BindFailed bind(
      RelaySession session, StreamPorts ports, MediaKind kind, List<RelayStream> bound) {
    var options =
        new SocketOptions(
            settings.receiveBufferBytes(),
            settings.sendBufferBytes(),
            switch (kind) {
              case AUDIO -> settings.audioDscp();
              case VIDEO -> settings.videoDscp();
              case OTHER -> 0;
            });
    Endpoint[] wanted = {ports.aRtp(), ports.aRtcp(), ports.bRtp(), ports.bRtcp()};
    var sockets = new PacketSocket[wanted.length];
    for (int i = 0; i < wanted.length; i++) {
      boolean shared = i % 2 == 1 && wanted[i].equals(wanted[i - 1]) && wanted[i].port() != 0;
      if (shared) {
        sockets[i] = sockets[i - 1];
        continue;
      }
      switch (loop.bind(wanted[i], options)) {
        case BindAnswer.Bound(PacketSocket socket) -> sockets[i] = socket;
        case BindAnswer.Failed(var failure, int errno, String detail) -> {
          // one that stands here twice is closed once
          for (int j = 0; j < i; j++) {
            sockets[j].close();
          }
          return new BindFailed(wanted[i], failure, errno, detail);
        }
      }
      warnOfSmallBuffer(sockets[i]);
    }
    var a = new StreamSide(End.A, sockets[0], sockets[1]);
    var b = new StreamSide(End.B, sockets[2], sockets[3]);
    for (int i = 0; i < wanted.length; i++) {
      boolean isA = i < 2;
      boolean isRtcpPort = i % 2 == 1;
      if (!isRtcpPort || !sockets[i].equals(sockets[i - 1])) {
        sockets[i].readBy(
            new PacketPath(this, session, ports.index(), isA ? a : b, isA ? b : a, isRtcpPort));
      }
    }
    bound.add(
        new RelayStream(
            ports.index(),
            a,
            b,
            new StreamPorts(
                ports.index(),
                sockets[0].local(),
                sockets[1].local(),
                sockets[2].local(),
                sockets[3].local())));
    return null;
  }

  private void warnOfSmallBuffer(PacketSocket socket) {
    if (!bufferWarned && socket.receiveBufferBytes() < settings.receiveBufferBytes()) {
      bufferWarned = true;
      LOG.atWarn()
          .addKeyValue("asked_bytes", settings.receiveBufferBytes())
          .addKeyValue("given_bytes", socket.receiveBufferBytes())
          .log("relay.receive_buffer_small");
    }
  }

  private void close(RelaySession session, List<Consumer<SessionCounts>> closers) {
    boolean wasOpen = session.isOpen() && !session.hasEnded;
    session.hasEnded = true;
    if (wasOpen) {
      forget(session);
      for (RelayStream stream : session.streams()) {
        lookAtKernelDrops(stream);
        stream.close();
        tally.add(SOCKETS, -stream.sockets());
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
        lookAtKernelDrops(stream);
      }
    }
  }

  private void lookAtKernelDrops(RelayStream stream) {
    tally.add(BY_KERNEL, stream.a().lookAtKernelDrops() + stream.b().lookAtKernelDrops());
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
