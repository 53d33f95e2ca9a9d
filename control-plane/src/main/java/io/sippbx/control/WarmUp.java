package io.sippbx.control;

import io.sippbx.control.call.Call;
import io.sippbx.control.call.CallObserver;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.event.CallHappening;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.media.MediaAnswer;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.MediaListing;
import io.sippbx.control.media.MediaNeed;
import io.sippbx.control.media.MediaNodeSeen;
import io.sippbx.control.media.MediaPlane;
import io.sippbx.control.media.MediaRestorer;
import io.sippbx.control.media.MediaWitness;
import io.sippbx.control.media.SessionSpec;
import io.sippbx.control.media.StreamAddresses;
import io.sippbx.control.mesh.MeshAlone;
import io.sippbx.control.registrar.RegisterResult;
import io.sippbx.control.registrar.RegistrarListener;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.locate.Location;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.ParseResult;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.SipMessage;
import io.sippbx.control.sip.message.SipParser;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.SipTransport;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Makes whole calls, in this process and on virtual time, before the first one comes from the
 * network: what a call needs is loaded and has run once, so that the first callers of a node that
 * has just started are not those who wait for it. The node that makes them has stores, a media node
 * and phones of its own, all in memory, and is forgotten with this object: it sends nothing, logs
 * nothing, counts nowhere. Confined to the thread that uses it.
 */
public final class WarmUp {

  private static final Endpoint NODE = Endpoint.of("127.0.0.1", 5060);
  private static final Endpoint CALLER = Endpoint.of("127.0.0.2", 5060);
  private static final Endpoint CALLEE = Endpoint.of("127.0.0.3", 5060);
  private static final String DOMAIN = "warm-up.invalid";
  private static final NodeId MEDIA = new NodeId("warm-up");
  private static final Duration CALL_WITHIN = Duration.ofSeconds(30);

  /** What is in no hurry is done by then, and the next call has the node for itself. */
  private static final Duration AFTER_CALL = Duration.ofMillis(100);

  private static final int SECRET_BYTES = 32;
  private static final int ADDRESSES = 10;
  private static final int OUTBOX = 100_000;

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final Loops loops = time.loops("warm-up", 1);
  private final AtomicLong random = new AtomicLong(1);
  private final ControlNode node;
  private boolean serving;
  private boolean registered;
  private int begun;
  private int ended;
  private int completed;

  /**
   * @param settings of the node that is about to start; who may use it is left out, for nobody does
   */
  public WarmUp(ControlNodeSettings settings) {
    Stores stores = Stores.inMemory(loops, ADDRESSES, OUTBOX);
    node =
        new ControlNode(
            new ControlNodeSettings(
                new Secret<>(new byte[SECRET_BYTES]),
                settings.calls(),
                new ControlNodeSettings.Access(
                    AuthSettings.of(DOMAIN),
                    new ConfiguredUsers(DOMAIN, List.of()),
                    new OwnDomains(List.of(DOMAIN), DOMAIN)),
                settings.registrar(),
                ClusterSettings.DEFAULT,
                settings.limits()),
            new ControlNode.World(
                loops,
                new Phones(),
                new MeshAlone(loops.all().getFirst()),
                (hop, home, answer) ->
                    home.execute(
                        () ->
                            answer.accept(
                                new Location.Found(
                                    List.of(Destination.to(TransportProtocol.UDP, CALLEE))))),
                new Stores(
                    new Encoding(stores.calls()),
                    stores.registrations(),
                    stores.partitions(),
                    stores.cluster(),
                    stores.limits(),
                    stores.restoring()),
                new Media(),
                events -> {},
                random::incrementAndGet),
            new ControlNode.Listeners(new Unheard(), new Unseen()));
    node.start(() -> serving = true);
  }

  /**
   * Makes one call, from the INVITE to the answer of the BYE.
   *
   * @return whether it came to that
   */
  public boolean call() {
    if (!time.runUntil(() -> serving, CALL_WITHIN)) {
      return false;
    }
    if (!registered) {
      say(
          CALLEE,
          "REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKr%d\r\nMax-Forwards: 70\r\nFrom: <sip:callee@%s>;tag=r\r\nTo: <sip:callee@%s>\r\nCall-ID: r%d\r\nCSeq: 1 REGISTER\r\nContact: <sip:callee@%s>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
              .formatted(DOMAIN, CALLEE, begun, DOMAIN, DOMAIN, begun, CALLEE));
      time.runUntil(() -> registered, CALL_WITHIN);
    }
    int before = completed;
    begun++;
    String body = sdp(CALLER);
    say(
        CALLER,
        "INVITE sip:callee@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKi%d\r\nMax-Forwards: 70\r\nFrom: <sip:caller@%s>;tag=c%d\r\nTo: <sip:callee@%s>\r\nCall-ID: c%d\r\nCSeq: 1 INVITE\r\nContact: <sip:caller@%s>\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nSupported: timer, replaces\r\nUser-Agent: warm-up\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(
                DOMAIN, CALLER, begun, DOMAIN, begun, DOMAIN, begun, CALLER, body.length(), body));
    time.runUntil(() -> ended == begun, CALL_WITHIN);
    time.advance(AFTER_CALL);
    return completed > before;
  }

  private static String sdp(Endpoint phone) {
    return "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        .formatted(phone.ip(), phone.ip());
  }

  private void say(Endpoint phone, String message) {
    said(phone, message.getBytes(StandardCharsets.UTF_8));
  }

  /** As a phone's datagram comes in. */
  private void said(Endpoint phone, byte[] octets) {
    if (SipParser.parseOwned(octets, SipLimits.DEFAULT) instanceof ParseResult.Parsed parsed) {
      node.receiver().received(parsed.message(), Flow.udp(NODE, phone));
    }
  }

  /** What the node sends comes to the two phones, which answer in a turn of their own. */
  private final class Phones implements SipTransport {
    @Override
    public void send(SipMessage message, Destination to, Consumer<SendFailure> onFailure) {
      heard(message.toBytes());
    }

    @Override
    public void send(SipMessage message, Flow flow, Consumer<SendFailure> onFailure) {
      heard(message.toBytes());
    }

    @Override
    public Optional<Endpoint> advertised(TransportProtocol protocol, boolean v6) {
      return v6 ? Optional.empty() : Optional.of(NODE);
    }

    private void heard(byte[] octets) {
      if (SipParser.parseOwned(octets, SipLimits.DEFAULT) instanceof ParseResult.Parsed parsed) {
        loops
            .all()
            .getFirst()
            .execute(
                () -> {
                  switch (parsed.message()) {
                    case SipRequest request -> atCallee(request);
                    case SipResponse response -> atPhone(response);
                  }
                });
      }
    }

    private void atCallee(SipRequest request) {
      if (request.method().equals(Method.INVITE)) {
        said(CALLEE, response(request, 180).build().toBytes());
        byte[] body = sdp(CALLEE).getBytes(StandardCharsets.UTF_8);
        said(CALLEE, response(request, 200).body("application/sdp", body).build().toBytes());
      } else if (request.method().equals(Method.BYE)) {
        said(CALLEE, SipResponse.to(request, 200).build().toBytes());
      }
    }

    private SipResponse.Builder response(SipRequest request, int status) {
      return SipResponse.to(request, status)
          .toTag(new Tag("callee" + begun))
          .header(HeaderName.CONTACT, "<sip:callee@" + CALLEE + ">");
    }

    private void atPhone(SipResponse response) {
      Method method = response.cSeq().method();
      if (method.equals(Method.REGISTER)) {
        registered = response.isSuccess();
      } else if (method.equals(Method.BYE)) {
        completed += response.isSuccess() ? 1 : 0;
        ended++;
      } else if (response.isSuccess()) {
        inDialog(response, "ACK", 1);
        inDialog(response, "BYE", 2);
      } else if (response.isFinal()) {
        ended++;
      }
    }

    private void inDialog(SipResponse answer, String method, int cSeq) {
      say(
          CALLER,
          "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:caller@%s>\r\nContent-Length: 0\r\n\r\n"
              .formatted(
                  method,
                  answer.contacts().getFirst().uri(),
                  CALLER,
                  method,
                  begun,
                  answer.from(),
                  answer.to(),
                  answer.callId().value(),
                  cSeq,
                  method,
                  CALLER));
    }
  }

  /** A store that takes each record apart and puts it together, as one in Redis does. */
  private static final class Encoding implements CallStore<Call> {
    private final CallStore<Call> store;
    private final CallCodec codec = new CallCodec();

    Encoding(CallStore<Call> store) {
      this.store = store;
    }

    @Override
    public void read(CallKey call, Consumer<ReadAnswer<Call>> answer) {
      store.read(call, answer);
    }

    @Override
    public void commit(CallCommit<Call> commit, Consumer<CommitAnswer<Call>> answer) {
      commit.record().map(codec::encode).ifPresent(codec::decode);
      store.commit(commit, answer);
    }

    @Override
    public void restore(CallRestore<Call> restore, Consumer<CommitAnswer<Call>> answer) {
      store.restore(restore, answer);
    }
  }

  /** A media node that has every port. */
  private static final class Media implements MediaPlane {
    @Override
    public Optional<NodeId> place(MediaNeed need) {
      return Optional.of(MEDIA);
    }

    @Override
    public Optional<NodeId> place(MediaNeed need, List<NodeId> except) {
      return Optional.of(MEDIA);
    }

    @Override
    public void apply(NodeId to, SessionSpec spec, Consumer<MediaAnswer> answer) {
      answer.accept(
          new MediaAnswer.Held(
              spec.revision(),
              spec.streams().stream()
                  .map(
                      stream ->
                          new StreamAddresses(
                              stream.index(),
                              NODE.withPort(4000),
                              NODE.withPort(4001),
                              NODE.withPort(4002),
                              NODE.withPort(4003)))
                  .toList(),
              List.of()));
    }

    @Override
    public void release(NodeId of, CallKey call, long revision, Consumer<MediaAnswer> answer) {
      answer.accept(new MediaAnswer.Held(revision, List.of(), List.of()));
    }

    @Override
    public void onEvent(Consumer<MediaEvent> listener) {}

    @Override
    public List<MediaNodeSeen> seen() {
      return List.of();
    }

    @Override
    public void list(NodeId of, Optional<CallKey> after, Consumer<MediaListing> answer) {
      answer.accept(new MediaListing.Failed("there is no media node"));
    }

    @Override
    public void onRestore(MediaRestorer restorer) {}

    @Override
    public void witnessedBy(MediaWitness witness) {}
  }

  private static final class Unheard implements CallObserver {
    @Override
    public void happened(CallKey call, CallHappening happening) {}

    @Override
    public void defect(CallKey call, String where, RuntimeException defect) {}

    @Override
    public void dropped(CallKey call, Drop why) {}
  }

  private static final class Unseen implements RegistrarListener {
    @Override
    public void changed(BindingChange change) {}

    @Override
    public void answered(RegisterResult result, Flow flow) {}

    @Override
    public void decided(Method method, AccessDecision decision, Flow flow) {}
  }
}
