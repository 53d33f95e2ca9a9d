package io.sippbx.control.mesh;

import com.google.protobuf.ByteString;
import io.sippbx.control.mesh.MeshCodec.UnreadableException;
import io.sippbx.control.mesh.MeshProof.End;
import io.sippbx.proto.mesh.v1.Ack;
import io.sippbx.proto.mesh.v1.Failed;
import io.sippbx.proto.mesh.v1.Heard;
import io.sippbx.proto.mesh.v1.Hello;
import io.sippbx.proto.mesh.v1.KeepAlive;
import io.sippbx.proto.mesh.v1.MeshMessage;
import io.sippbx.proto.mesh.v1.Proof;
import io.sippbx.shared.identity.Member;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One stream to another node, from its opening to its end.
 *
 * <pre>
 *   GREETING  -- Hello of the peer  --> PROVING   (the acceptor greets, the dialer proves)
 *   PROVING   -- Proof that holds   --> UP        (the acceptor proves)
 *   any       -- anything else, silence, the end of the stream --> ENDED
 * </pre>
 *
 * Confined to the mesh's loop.
 */
final class MeshLink implements MeshStream.Listener {

  /** The newest and the oldest version of the protocol that is spoken here. */
  static final int VERSION = 1;

  private static final int OLDEST_VERSION = 1;
  private static final MeshMessage KEEP_ALIVE =
      MeshMessage.newBuilder().setKeepAlive(KeepAlive.getDefaultInstance()).build();

  /** To whom a link tells what comes of it. */
  interface Owner {
    /** The peer has proved who it is. */
    void up(MeshLink link);

    /** Nothing comes any more, for this reason; what waited was told to have failed. */
    void ended(MeshLink link, String reason);

    /** The peer asks for something: to be answered by {@link MeshLink#answer}, now or later. */
    void asked(MeshLink link, MeshMessage message);

    long nowNs();

    ByteString nonce();
  }

  private enum Phase {
    GREETING,
    PROVING,
    UP,
    ENDED
  }

  /** What waits to be written; {@code id} 0: an answer. */
  private record Waiting(long id, MeshMessage message) {}

  private record Unanswered(Consumer<Reply> told, long deadlineNs) {}

  /** What comes of a request. */
  enum Reply {
    /** It was taken; or what was asked is so. */
    YES,
    NO,
    /** The stream has ended, nothing was heard in time, or too much waits. */
    NONE;

    /** Of a message that was to be handed over. */
    Mesh.Delivery delivery() {
      return this == YES ? Mesh.Delivery.DELIVERED : Mesh.Delivery.FAILED;
    }
  }

  private final Owner owner;
  private final Member self;
  private final Optional<Member> dialled;
  private final MeshSettings settings;
  private final MeshProof proof;
  private final MeshCounters counters;
  private final Deque<Waiting> queue = new ArrayDeque<>();
  private final LinkedHashMap<Long, Unanswered> unanswered = new LinkedHashMap<>();
  private final long openedNs;
  private Phase phase = Phase.GREETING;
  private Hello ours = Hello.getDefaultInstance();
  private Hello theirs = Hello.getDefaultInstance();
  private @Nullable MeshStream stream;
  private @Nullable Member peer;
  private long queuedBytes;
  private long lastId;
  private long heardNs;
  private long saidNs;

  /**
   * @param dialled whom this node has dialled; empty: it was dialled
   */
  MeshLink(
      Owner owner,
      Member self,
      Optional<Member> dialled,
      MeshSettings settings,
      MeshProof proof,
      MeshCounters counters) {
    this.owner = owner;
    this.self = self;
    this.dialled = dialled;
    this.settings = settings;
    this.proof = proof;
    this.counters = counters;
    this.openedNs = owner.nowNs();
    this.heardNs = openedNs;
    this.saidNs = openedNs;
  }

  /** The stream is there: who has dialled greets. */
  void begin(MeshStream opened) {
    stream = opened;
    if (dialled.isPresent()) {
      ours = hello(dialled.get());
      write(MeshMessage.newBuilder().setHello(ours).build());
    }
  }

  /** Who is at the other end, once it has proved that. */
  Optional<Member> peer() {
    return phase == Phase.UP ? Optional.ofNullable(peer) : Optional.empty();
  }

  /** Whom it leads to as far as is known, for the log. */
  String name() {
    return peer != null ? peer.toString() : dialled.map(Member::toString).orElse("unknown");
  }

  boolean isDialled() {
    return dialled.isPresent();
  }

  boolean isUp() {
    return phase == Phase.UP;
  }

  /** Messages that wait to be taken by the peer. */
  int depth() {
    return queue.size();
  }

  /** This node was not able to hear: the peer's silence begins anew. */
  void excuse() {
    heardNs = owner.nowNs();
  }

  /** What is due by time. */
  void tick(long nowNs) {
    if (phase == Phase.ENDED) {
      return;
    }
    if (phase != Phase.UP) {
      if (nowNs - openedNs >= settings.proofTime().toNanos()) {
        counters.unproved.increment();
        end("no proof within " + settings.proofTime().toMillis() + " ms");
      }
      return;
    }
    if (nowNs - heardNs >= settings.silence().toNanos()) {
      end("silent for " + (nowNs - heardNs) / 1_000_000 + " ms");
      return;
    }
    if (nowNs - saidNs >= settings.keepAlive().toNanos() && stream != null && stream.isReady()) {
      // To a peer that takes nothing there is enough to say.
      write(KEEP_ALIVE);
    }
    expire(nowNs);
  }

  private void expire(long nowNs) {
    var late = new ArrayList<Consumer<Reply>>();
    var each = unanswered.entrySet().iterator();
    while (each.hasNext()) {
      Map.Entry<Long, Unanswered> oldest = each.next();
      if (nowNs - oldest.getValue().deadlineNs() < 0) {
        break;
      }
      late.add(oldest.getValue().told());
      each.remove();
    }
    for (Consumer<Reply> told : late) {
      counters.timedOut.increment();
      told.accept(Reply.NONE);
    }
  }

  /** Makes a request of the number it is given. */
  interface Request {
    MeshMessage numbered(long id);
  }

  /** Asks the peer for something; {@code told} is told what comes of it, here or later. */
  void ask(Request request, Consumer<Reply> told) {
    if (phase != Phase.UP) {
      counters.unreachable.increment();
      told.accept(Reply.NONE);
      return;
    }
    MeshMessage message = request.numbered(lastId + 1);
    if (queue.size() >= settings.queued()
        || queuedBytes + message.getSerializedSize() > settings.queuedBytes()
        || unanswered.size() >= settings.unanswered()) {
      counters.overLimit.increment();
      told.accept(Reply.NONE);
      return;
    }
    lastId++;
    long deadlineNs = owner.nowNs() + settings.answerTime().toNanos();
    unanswered.put(lastId, new Unanswered(told, deadlineNs));
    enqueue(new Waiting(lastId, message));
  }

  /** Answers what the peer has asked for: with an empty detail that it is taken. */
  void answer(long id, Optional<String> failure) {
    var answer = MeshMessage.newBuilder();
    failure.ifPresentOrElse(
        detail -> answer.setFailed(Failed.newBuilder().setId(id).setDetail(detail)),
        () -> answer.setAck(Ack.newBuilder().setId(id)));
    answer(answer.build());
  }

  /** Answers the peer's question whether a media node is heard here. */
  void answerHeard(long id, boolean heard) {
    answer(MeshMessage.newBuilder().setHeard(Heard.newBuilder().setId(id).setHeard(heard)).build());
  }

  private void answer(MeshMessage answer) {
    if (phase != Phase.UP) {
      return;
    }
    if (queue.size() >= 2 * settings.queued()) {
      // Who asks and does not take its answers.
      end("takes no answers");
      return;
    }
    enqueue(new Waiting(0, answer));
  }

  private void enqueue(Waiting waiting) {
    queue.add(waiting);
    queuedBytes += waiting.message().getSerializedSize();
    ready();
  }

  @Override
  public void ready() {
    while (stream != null && stream.isReady() && !queue.isEmpty()) {
      Waiting next = queue.remove();
      queuedBytes -= next.message().getSerializedSize();
      if (next.id() == 0 || unanswered.containsKey(next.id())) {
        write(next.message());
      }
    }
  }

  private void write(MeshMessage message) {
    if (stream != null) {
      saidNs = owner.nowNs();
      stream.write(message);
    }
  }

  @Override
  public void ended(String reason) {
    if (phase != Phase.ENDED) {
      stream = null;
      end(reason);
    }
  }

  /** Ends the stream, if it has not ended yet. */
  void end(String reason) {
    if (phase == Phase.ENDED) {
      return;
    }
    phase = Phase.ENDED;
    MeshStream open = stream;
    stream = null;
    if (open != null) {
      open.end();
    }
    queue.clear();
    queuedBytes = 0;
    List<Unanswered> left = List.copyOf(unanswered.values());
    unanswered.clear();
    owner.ended(this, reason);
    for (Unanswered each : left) {
      counters.unreachable.increment();
      each.told().accept(Reply.NONE);
    }
  }

  @Override
  public void heard(MeshMessage message) {
    heardNs = owner.nowNs();
    switch (phase) {
      case GREETING -> greeted(message);
      case PROVING -> proved(message);
      case UP -> said(message);
      case ENDED -> {
        // It was on its way.
      }
    }
  }

  private void greeted(MeshMessage message) {
    Optional<String> fault = fault(message);
    if (fault.isPresent()) {
      counters.unproved.increment();
      end(fault.get());
      return;
    }
    theirs = message.getHello();
    phase = Phase.PROVING;
    if (isDialled()) {
      prove();
    } else {
      ours = hello(MeshCodec.member(theirs.getFrom()));
      write(MeshMessage.newBuilder().setHello(ours).build());
    }
  }

  private Optional<String> fault(MeshMessage message) {
    if (!message.hasHello()) {
      return Optional.of("expected a Hello, but got " + message.getKindCase());
    }
    Hello hello = message.getHello();
    if (hello.getOldestVersion() > VERSION || hello.getVersion() < OLDEST_VERSION) {
      return Optional.of(
          "speaks versions %d to %d of the mesh, and this node %d to %d"
              .formatted(hello.getOldestVersion(), hello.getVersion(), OLDEST_VERSION, VERSION));
    }
    if (hello.getNonce().size() != MeshProof.NONCE_BYTES) {
      return Optional.of("expected a nonce of 32 bytes, but got " + hello.getNonce().size());
    }
    Member from;
    Member to;
    try {
      from = MeshCodec.member(hello.getFrom());
      to = MeshCodec.member(hello.getTo());
    } catch (UnreadableException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
    if (!to.equals(self)) {
      return Optional.of("looks for " + to + ", and this node is " + self);
    }
    if (from.node().equals(self.node())) {
      return Optional.of("has this node's name, " + self.node());
    }
    if (dialled.isPresent() && !from.equals(dialled.get())) {
      return Optional.of("is " + from + ", and " + dialled.get() + " was dialled");
    }
    peer = from;
    return Optional.empty();
  }

  private void proved(MeshMessage message) {
    End other = isDialled() ? End.ACCEPTOR : End.DIALER;
    if (!message.hasProof()
        || !proof.holds(message.getProof().getMac(), other, ofDialer(), ofAcceptor())) {
      counters.unproved.increment();
      end("does not prove to know cluster.secret");
      return;
    }
    if (!isDialled()) {
      prove();
    }
    phase = Phase.UP;
    owner.up(this);
  }

  private void prove() {
    End end = isDialled() ? End.DIALER : End.ACCEPTOR;
    write(
        MeshMessage.newBuilder()
            .setProof(Proof.newBuilder().setMac(proof.of(end, ofDialer(), ofAcceptor())))
            .build());
  }

  private Hello ofDialer() {
    return isDialled() ? ours : theirs;
  }

  private Hello ofAcceptor() {
    return isDialled() ? theirs : ours;
  }

  private Hello hello(Member to) {
    return Hello.newBuilder()
        .setVersion(VERSION)
        .setOldestVersion(OLDEST_VERSION)
        .setFrom(MeshCodec.member(self))
        .setTo(MeshCodec.member(to))
        .setNonce(owner.nonce())
        .build();
  }

  private void said(MeshMessage message) {
    switch (message.getKindCase()) {
      case KEEP_ALIVE -> {
        // Its time was noted.
      }
      case DELIVER, SEND, COMMAND, HEARS -> owner.asked(this, message);
      case ACK -> {
        if (answered(message.getAck().getId(), Reply.YES)) {
          counters.taken.increment();
        }
      }
      case FAILED -> {
        if (answered(message.getFailed().getId(), Reply.NO)) {
          counters.refused.increment();
        }
      }
      case HEARD ->
          answered(
              message.getHeard().getId(), message.getHeard().getHeard() ? Reply.YES : Reply.NO);
      case HELLO, PROOF -> end("greets again");
      // Of a later version.
      case KIND_NOT_SET -> counters.unreadable.increment();
    }
  }

  private boolean answered(long id, Reply reply) {
    Unanswered asked = unanswered.remove(id);
    if (asked == null) {
      return false;
    }
    asked.told().accept(reply);
    return true;
  }
}
