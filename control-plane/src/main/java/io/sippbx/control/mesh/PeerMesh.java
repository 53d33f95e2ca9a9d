package io.sippbx.control.mesh;

import com.google.protobuf.ByteString;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaWitness;
import io.sippbx.control.mesh.MeshCodec.Carried;
import io.sippbx.control.mesh.MeshCodec.UnreadableException;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.proto.mesh.v1.Command;
import io.sippbx.proto.mesh.v1.Deliver;
import io.sippbx.proto.mesh.v1.Hears;
import io.sippbx.proto.mesh.v1.MeshMessage;
import io.sippbx.proto.mesh.v1.Send;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The mesh of a node that has others beside it: a stream to each, kept open. Of two nodes the one
 * whose name sorts first dials.
 *
 * <p>A peer is up once both ends have proved that they know the cluster's secret, and down at once
 * when the stream breaks, or when nothing was heard for {@code silence}. What this node did not
 * hear because its own loop stood still is not held against anybody.
 */
public final class PeerMesh implements Mesh, MediaWitness, AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(PeerMesh.class);
  private static final Duration TICK = Duration.ofMillis(50);
  private static final long DEAF_NS = Duration.ofMillis(500).toNanos();

  /** Peers whose word on a media node is asked for at once. */
  private static final int WITNESSES = 3;

  /** For how long it is waited for. */
  private static final Duration TESTIMONY = Duration.ofMillis(200);

  private final RateLimitedLog streams = RateLimitedLog.of(log);
  private final Loop loop;
  private final Member self;
  private final MeshSettings settings;
  private final MeshNetwork network;
  private final MeshProof proof;
  private final MeshCodec codec;
  private final LongSupplier random;
  private final MeshCounters counters = new MeshCounters();
  private final AtomicInteger onTheirWay = new AtomicInteger();
  private final List<MeshLink> links = new ArrayList<>();
  private final TreeMap<Member, MeshLink> up = new TreeMap<>();
  private final TreeMap<NodeId, Way> ways = new TreeMap<>();
  private final Owner owner = new Owner();
  private volatile List<Member> upNow = List.of();
  private volatile int depth;
  private MeshReceiver receiver = new Nobody();
  private Listener listener = (member, isUp) -> {};
  private Loop.@Nullable Timer next;
  private long lastTickNs;
  private boolean closed;

  /** Is told who is to be reached and who is no more. On the mesh's loop. */
  @FunctionalInterface
  public interface Listener {
    /** A way to this member has come or gone. */
    void changed(Member member, boolean isUp);
  }

  /** A peer that is dialled from here. */
  private static final class Way {
    private final Peer peer;
    private @Nullable MeshLink link;
    private int failures;
    private long retryAtNs;

    Way(Peer peer, long nowNs) {
      this.peer = peer;
      this.retryAtNs = nowNs;
    }
  }

  /**
   * @param loop on which all is done
   * @param network on the same loop
   * @param limits of the messages that nodes receive
   * @param random 64 bits each time that nobody can foretell
   */
  public PeerMesh(
      Loop loop,
      Member self,
      MeshSettings settings,
      MeshNetwork network,
      byte[] clusterSecret,
      SipLimits limits,
      LongSupplier random) {
    this.loop = loop;
    this.self = self;
    this.settings = settings;
    this.network = network;
    this.proof = new MeshProof(clusterSecret);
    this.codec = new MeshCodec(limits);
    this.random = random;
  }

  /** Lets other nodes in. */
  public void start(MeshReceiver handler, Listener told) {
    loop.execute(
        () -> {
          receiver = handler;
          listener = told;
          network.accept(this::accepted);
          lastTickNs = loop.nowNs();
          tick();
        });
  }

  /**
   * Tells which other nodes there are. To one that is not among them an open stream is kept, and no
   * new one is opened; an earlier incarnation of one that is among them is given up.
   */
  public void follow(List<Peer> peers) {
    loop.execute(() -> doFollow(peers));
  }

  @Override
  public void deliver(Member to, SipMessage message, Flow flow, int hops, Consumer<Delivery> told) {
    if (hops >= MAX_HOPS) {
      counters.circling.increment();
      fail(told);
      return;
    }
    ByteString octets = ByteString.copyFrom(message.toBytes());
    ask(to, id -> MeshCodec.deliver(id, octets, flow, hops + 1), told);
  }

  @Override
  public void send(Member holder, SipMessage message, Flow flow, Consumer<Delivery> told) {
    ByteString octets = ByteString.copyFrom(message.toBytes());
    ask(holder, id -> MeshCodec.send(id, octets, flow), told);
  }

  /**
   * Asks a member for what an administrator wants of it. Any thread; as {@link #deliver} otherwise.
   */
  public void command(Member to, MeshCommand command, Consumer<Delivery> told) {
    ask(to, id -> MeshCodec.command(id, command), told);
  }

  private void ask(Member to, MeshLink.Request request, Consumer<Delivery> told) {
    if (onTheirWay.incrementAndGet() > settings.queued()) {
      onTheirWay.decrementAndGet();
      counters.overLimit.increment();
      fail(told);
      return;
    }
    loop.execute(
        () -> {
          onTheirWay.decrementAndGet();
          MeshLink link = up.get(to);
          if (link == null) {
            counters.unreachable.increment();
            told.accept(Delivery.FAILED);
          } else {
            link.ask(request, reply -> told.accept(reply.delivery()));
          }
        });
  }

  /**
   * Asks up to three of the nodes to which there is a way whether they hear a media node. One that
   * does is believed; who does not answer in time has said nothing.
   */
  @Override
  public void ask(NodeId mediaNode, Consumer<Testimony> told) {
    loop.execute(
        () -> {
          List<MeshLink> witnesses = up.values().stream().limit(WITNESSES).toList();
          if (witnesses.isEmpty()) {
            told.accept(Testimony.NOBODY);
            return;
          }
          var hearing = new Hearing(witnesses.size(), told);
          loop.schedule(TESTIMONY, hearing::end);
          for (MeshLink each : witnesses) {
            each.ask(id -> MeshCodec.hears(id, mediaNode), hearing::said);
          }
        });
  }

  /** What is told of a media node, until enough was told or the time is over. */
  private static final class Hearing {
    private final Consumer<Testimony> told;
    private int left;
    private boolean isSilent;
    private boolean ended;

    Hearing(int witnesses, Consumer<Testimony> told) {
      this.left = witnesses;
      this.told = told;
    }

    void said(MeshLink.Reply reply) {
      left--;
      isSilent |= reply == MeshLink.Reply.NO;
      if (reply == MeshLink.Reply.YES) {
        end(Testimony.HEARD);
      } else if (left == 0) {
        end();
      }
    }

    void end() {
      end(isSilent ? Testimony.SILENT : Testimony.NOBODY);
    }

    private void end(Testimony testimony) {
      if (!ended) {
        ended = true;
        told.accept(testimony);
      }
    }
  }

  private void fail(Consumer<Delivery> told) {
    loop.execute(() -> told.accept(Delivery.FAILED));
  }

  @Override
  public boolean isUp(Member member) {
    return upNow.contains(member);
  }

  /** What was done so far. */
  public MeshCounters counters() {
    return counters;
  }

  /** Messages that wait for peers to take them, some milliseconds ago. */
  public int depth() {
    return depth;
  }

  /** Ends all streams: peers know at once. What waits for an answer has failed. */
  @Override
  public void close() {
    loop.execute(
        () -> {
          closed = true;
          if (next != null) {
            next.cancel();
          }
          for (MeshLink link : List.copyOf(links)) {
            link.end("this node leaves");
          }
          ways.clear();
        });
  }

  private void doFollow(List<Peer> peers) {
    if (closed) {
      return;
    }
    var wanted = new TreeMap<NodeId, Way>();
    for (Peer peer : peers) {
      NodeId node = peer.member().node();
      if (node.equals(self.node())) {
        continue;
      }
      giveUpEarlier(peer.member());
      if (self.node().compareTo(node) < 0 && wanted.size() < settings.peers()) {
        Way known = ways.get(node);
        wanted.put(
            node, known != null && known.peer.equals(peer) ? known : new Way(peer, loop.nowNs()));
      }
    }
    ways.clear();
    ways.putAll(wanted);
    dial(loop.nowNs());
  }

  private void giveUpEarlier(Member member) {
    for (Member each : List.copyOf(up.keySet())) {
      MeshLink link = up.get(each);
      if (link != null && each.node().equals(member.node()) && !each.equals(member)) {
        link.end("its node has started anew");
      }
    }
  }

  private void tick() {
    if (closed) {
      return;
    }
    long nowNs = loop.nowNs();
    if (nowNs - lastTickNs > TICK.toNanos() + DEAF_NS) {
      links.forEach(MeshLink::excuse);
    }
    lastTickNs = nowNs;
    int waiting = onTheirWay.get();
    for (MeshLink link : List.copyOf(links)) {
      link.tick(nowNs);
      waiting += link.depth();
    }
    depth = waiting;
    dial(nowNs);
    next = loop.schedule(TICK, this::tick);
  }

  private void dial(long nowNs) {
    for (Way way : List.copyOf(ways.values())) {
      if (way.link == null && !up.containsKey(way.peer.member()) && nowNs - way.retryAtNs >= 0) {
        var link =
            new MeshLink(owner, self, Optional.of(way.peer.member()), settings, proof, counters);
        way.link = link;
        links.add(link);
        link.begin(network.dial(way.peer.address(), link));
      }
    }
  }

  private MeshStream.Listener accepted(MeshStream stream) {
    var link = new MeshLink(owner, self, Optional.empty(), settings, proof, counters);
    links.add(link);
    link.begin(stream);
    if (closed) {
      link.end("this node leaves");
    } else if (links.stream().filter(each -> !each.isUp() && !each.isDialled()).count()
        > settings.unproved()) {
      counters.unproved.increment();
      link.end("too many streams have proved nothing yet");
    }
    return link;
  }

  private long backoffNs(int failures) {
    long most = settings.mostBackoff().toNanos();
    long base = settings.firstBackoff().toNanos();
    for (int i = 1; i < failures && base < most; i++) {
      base *= 2;
    }
    base = Math.min(base, most);
    return base / 2 + Math.floorMod(random.getAsLong(), base / 2 + 1);
  }

  private final class Owner implements MeshLink.Owner {
    @Override
    public void up(MeshLink link) {
      Member member = link.peer().orElseThrow();
      MeshLink earlier = up.get(member);
      if (earlier != null) {
        // Dialled anew before the end of the former was noticed here.
        earlier.end("replaced");
      }
      giveUpEarlier(member);
      if (up.size() >= settings.peers()) {
        counters.overLimit.increment();
        link.end("too many peers: " + up.size());
        return;
      }
      up.put(member, link);
      Way way = ways.get(member.node());
      if (way != null) {
        way.failures = 0;
      }
      counters.opened.increment();
      changed();
      log.atInfo().addKeyValue("member", member).log("mesh.up");
      listener.changed(member, true);
    }

    @Override
    public void ended(MeshLink link, String reason) {
      links.remove(link);
      for (Way way : ways.values()) {
        if (way.link == link) {
          way.link = null;
          way.failures++;
          way.retryAtNs = loop.nowNs() + backoffNs(way.failures);
        }
      }
      Optional<Member> was =
          up.entrySet().stream()
              .filter(each -> each.getValue() == link)
              .map(each -> each.getKey())
              .findFirst();
      if (was.isPresent()) {
        up.remove(was.get());
        counters.lost.increment();
        changed();
        log.atWarn()
            .addKeyValue("member", was.get())
            .addKeyValue("reason", reason)
            .log("mesh.down");
        listener.changed(was.get(), false);
      } else if (!closed) {
        streams
            .at(Level.WARN, "mesh.stream-failed")
            .addKeyValue("member", link.name())
            .addKeyValue("dialled", link.isDialled())
            .addKeyValue("reason", reason)
            .log("mesh.stream-failed");
      }
    }

    @Override
    public void asked(MeshLink link, MeshMessage message) {
      if (message.hasDeliver()) {
        delivered(link, message.getDeliver());
      } else if (message.hasCommand()) {
        commanded(link, message.getCommand());
      } else if (message.hasHears()) {
        hears(link, message.getHears());
      } else {
        sendHere(link, message.getSend());
      }
    }

    @Override
    public long nowNs() {
      return loop.nowNs();
    }

    @Override
    public ByteString nonce() {
      ByteBuffer nonce = ByteBuffer.allocate(MeshProof.NONCE_BYTES);
      while (nonce.hasRemaining()) {
        nonce.putLong(random.getAsLong());
      }
      return ByteString.copyFrom(nonce.flip());
    }
  }

  private void changed() {
    upNow = List.copyOf(up.keySet());
    counters.up.set(up.size());
  }

  private void delivered(MeshLink link, Deliver deliver) {
    Carried carried;
    try {
      carried = codec.carried(deliver.getMessage(), deliver.getFlow());
    } catch (UnreadableException e) {
      unreadable(link, deliver.getId(), e);
      return;
    }
    if (deliver.getHops() < 1 || deliver.getHops() > MAX_HOPS) {
      counters.circling.increment();
      link.answer(deliver.getId(), Optional.of("handed on too often"));
    } else if (receiver.delivered(carried.message(), carried.flow(), deliver.getHops())) {
      counters.received.increment();
      link.answer(deliver.getId(), Optional.empty());
    } else {
      link.answer(deliver.getId(), Optional.of("too much waits"));
    }
  }

  private void commanded(MeshLink link, Command form) {
    MeshCommand command;
    try {
      command = MeshCodec.command(form);
    } catch (UnreadableException e) {
      unreadable(link, form.getId(), e);
      return;
    }
    boolean taken = receiver.commanded(command);
    log.atInfo()
        .addKeyValue("member", link.name())
        .addKeyValue("command", command)
        .addKeyValue("taken", taken)
        .log("mesh.command");
    if (taken) {
      counters.received.increment();
    }
    link.answer(form.getId(), taken ? Optional.empty() : Optional.of("this node ends"));
  }

  private void hears(MeshLink link, Hears question) {
    NodeId mediaNode;
    try {
      mediaNode = MeshCodec.mediaNode(question);
    } catch (UnreadableException e) {
      unreadable(link, question.getId(), e);
      return;
    }
    link.answerHeard(question.getId(), receiver.hears(mediaNode));
  }

  private void sendHere(MeshLink link, Send send) {
    Carried carried;
    try {
      carried = codec.carried(send.getMessage(), send.getFlow());
    } catch (UnreadableException e) {
      unreadable(link, send.getId(), e);
      return;
    }
    if (!carried.flow().holder().equals(Optional.of(self))) {
      link.answer(send.getId(), Optional.of("no flow of this node"));
      return;
    }
    counters.received.increment();
    var answer = new Answer(link, send.getId());
    receiver.send(
        carried.message(),
        carried.flow(),
        failure -> loop.execute(() -> answer.once(Optional.of(failure.detail()))));
    // What fails at once is told before this task and the next: a connection that is gone.
    loop.execute(() -> loop.execute(() -> answer.once(Optional.empty())));
  }

  /** Answers once. */
  private static final class Answer {
    private final MeshLink link;
    private final long id;
    private boolean given;

    Answer(MeshLink link, long id) {
      this.link = link;
      this.id = id;
    }

    void once(Optional<String> failure) {
      if (!given) {
        given = true;
        link.answer(id, failure);
      }
    }
  }

  private void unreadable(MeshLink link, long id, UnreadableException cause) {
    counters.unreadable.increment();
    String detail = String.valueOf(cause.getMessage());
    streams
        .at(Level.WARN, "mesh.unreadable")
        .addKeyValue("member", link.name())
        .addKeyValue("reason", detail)
        .log("mesh.unreadable");
    link.answer(id, Optional.of(detail));
  }

  /** Before the start. */
  private static final class Nobody implements MeshReceiver {
    @Override
    public boolean delivered(SipMessage message, Flow flow, int hops) {
      return false;
    }

    @Override
    public boolean commanded(MeshCommand command) {
      return false;
    }

    @Override
    public boolean hears(NodeId mediaNode) {
      return false;
    }

    @Override
    public void send(
        SipMessage message,
        Flow flow,
        Consumer<io.sippbx.control.sip.transport.SendFailure> onFailure) {
      throw new IllegalStateException("Expected to be started before streams are accepted");
    }
  }
}
