package io.sippbx.app.demo;

import io.sippbx.control.sip.message.CallId;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.transport.MessageTracer;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.sdp.Direction;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * A small user agent with a voice: registers, calls, is called, holds, hangs up. Each method says
 * what to do and returns at once; what comes of it is waited for by {@link #await}. For the
 * script's thread.
 */
final class Phone implements AutoCloseable {

  private static final long REGISTERED_SECONDS = 600;

  private final Account account;
  private final UserAgent agent;
  private final PhoneCall call;
  private final RtpEndpoint voice;
  private final Conversation events;
  private final Tokens tokens;

  private Phone(
      Account account,
      UserAgent agent,
      PhoneCall call,
      RtpEndpoint voice,
      Conversation events,
      Tokens tokens) {
    this.account = account;
    this.agent = agent;
    this.call = call;
    this.voice = voice;
    this.events = events;
    this.tokens = tokens;
  }

  /**
   * Switches a phone on: it listens, and is known to nobody yet.
   *
   * @param ip of its sockets
   * @param voice what it says and listens with; closed with it
   * @param tracer sees its SIP messages
   * @param events is told what happens to it
   */
  static Phone open(
      Account account,
      IpAddress ip,
      RtpEndpoint voice,
      MessageTracer tracer,
      Conversation events,
      SecureRandom random)
      throws IOException {
    var tokens = new Tokens(random);
    long session = random.nextInt(Integer.MAX_VALUE);
    Consumer<PhoneEvent> told = event -> events.tell(account.user(), event);
    var call = new AtomicReference<PhoneCall>();
    UserAgent agent =
        UserAgent.open(
            account,
            ip,
            tokens,
            tracer,
            each -> {
              var made = new PhoneCall(account, each, voice, tokens, told, session);
              call.set(made);
              return made;
            });
    return new Phone(account, agent, call.get(), voice, events, tokens);
  }

  /** Its user. */
  String name() {
    return account.user();
  }

  /** Its media. */
  RtpEndpoint voice() {
    return voice;
  }

  /**
   * Waits for something to happen to it.
   *
   * @param missing what is said if it does not: "no 200 OK from bob came"
   */
  <E extends PhoneEvent> E await(Class<E> kind, String missing)
      throws DemoFailure, InterruptedException {
    return events.await(name(), kind, missing);
  }

  private void tell(PhoneEvent event) {
    events.tell(name(), event);
  }

  /** What there is to say of it now. */
  PhoneFacts facts() {
    return new PhoneFacts(
        name(),
        agent.local(),
        voice.local(),
        agent.challengesAnswered(),
        voice.tone(),
        voice.sent(),
        voice.lastSequence(),
        voice.reception().reading());
  }

  /** Registers at the edge. */
  void register() {
    agent.loop().execute(this::sendRegister);
  }

  private void sendRegister() {
    NameAddr self = NameAddr.of(account.address(account.user()));
    SipRequest register =
        SipRequest.builder(Method.REGISTER, SipUri.of(account.domain()))
            .via(agent.via())
            .from(self.withTag(tokens.tag()))
            .to(self)
            .callId(tokens.callId(account.user()))
            .cSeq(1)
            .contact(agent.contact())
            .header(HeaderName.EXPIRES, Long.toString(REGISTERED_SECONDS))
            .build();
    agent.send(
        register,
        new UserAgent.Exchange() {
          @Override
          public void provisional(SipResponse response) {}

          @Override
          public void answered(SipRequest sent, SipResponse response) {
            tell(
                response.isSuccess()
                    ? new PhoneEvent.Registered()
                    : new PhoneEvent.Trouble(
                        "got " + response.status() + " " + response.reason() + " to its REGISTER"));
          }

          @Override
          public void failed(String why) {
            tell(new PhoneEvent.Trouble("sent a REGISTER that " + why));
          }
        });
  }

  /** Calls another user; the Call-ID of the call. */
  CallId dial(String user) {
    CallId callId = tokens.callId(account.user());
    agent.loop().execute(() -> call.dial(user, callId));
    return callId;
  }

  /** Tells the caller that it rings. */
  void ring() {
    agent.loop().execute(call::ring);
  }

  /** Takes the call. */
  void answer() {
    agent.loop().execute(call::answer);
  }

  /** Puts the other side on hold. */
  void hold() {
    agent.loop().execute(() -> call.change(Direction.SENDONLY));
  }

  /** Takes the other side off hold. */
  void resume() {
    agent.loop().execute(() -> call.change(Direction.SENDRECV));
  }

  /** Ends the call. */
  void hangUp() {
    agent.loop().execute(call::hangUp);
  }

  /** Switches it off, without a word to anybody. */
  @Override
  public void close() {
    agent.close();
    voice.close();
  }
}
