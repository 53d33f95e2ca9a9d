package io.sippbx.control.registrar;

import io.sippbx.control.event.EventSink;
import io.sippbx.control.event.RegistrationEventEncoder;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.Outcome;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Register;
import io.sippbx.control.registrar.binding.Registrar;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessRequest;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.RegistrationStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Takes REGISTER requests through access policy, record and store to their answers, and answers who
 * is registered where. Confined to one loop; several instances, on other loops and nodes, work on
 * the same records, held together by the versions of the store.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-10.3">RFC 3261 10.3</a>
 */
public final class RegistrarService implements ContactLookup, RegisteredUsers {

  /** What may stand in the Require of a REGISTER. */
  private static final List<String> SUPPORTED = List.of("path");

  private static final Comparator<Binding> BEST_FIRST =
      Comparator.comparingInt(Binding::qThousandths).thenComparing(Binding::updatedAt).reversed();

  private final Loop loop;
  private final RegistrationStore store;
  private final AccessPolicy policy;
  private final OwnDomains domains;
  private final Registrar registrar;
  private final RegistrarLimits limits;
  private final LongSupplier random;
  private final RegistrarListener listener;
  private final Events events;
  private int pending;

  /**
   * How the changes of registrations are told.
   *
   * @param encoder of what is committed
   * @param sink who hears that it was
   */
  public record Events(RegistrationEventEncoder encoder, EventSink sink) {}

  /**
   * @param store answers on {@code loop}
   * @param random 64 random bits each time, for commit ids
   */
  public RegistrarService(
      Loop loop,
      RegistrationStore store,
      AccessPolicy policy,
      OwnDomains domains,
      Registrar registrar,
      RegistrarLimits limits,
      LongSupplier random,
      RegistrarListener listener,
      Events events) {
    this.loop = loop;
    this.store = store;
    this.policy = policy;
    this.domains = domains;
    this.registrar = registrar;
    this.limits = limits;
    this.random = random;
    this.listener = listener;
    this.events = events;
  }

  /**
   * Carries a REGISTER out. Call on the loop.
   *
   * @param respond gets the final response, exactly once, as a task of the loop
   */
  public void register(SipRequest request, Flow flow, Consumer<SipResponse> respond) {
    if (!request.method().equals(Method.REGISTER)) {
      throw new IllegalArgumentException("Expected a REGISTER, but got " + request.method());
    }
    new Run(request, flow, respond).start();
  }

  @Override
  public void lookup(Aor aor, Consumer<LookupAnswer> answer) {
    store.read(
        aor,
        read ->
            answer.accept(
                switch (read) {
                  case ReadAnswer.Found<Registration>(var current) ->
                      contacts(current.record(), loop.now());
                  case ReadAnswer.Absent<Registration> absent -> new LookupAnswer.NotRegistered();
                  case ReadAnswer.Unavailable<Registration>(String detail) ->
                      new LookupAnswer.Unavailable(detail);
                }));
  }

  @Override
  public void list(Optional<Aor> after, int limit, Consumer<UsersAnswer> answer) {
    store.list(
        after,
        limit,
        listed ->
            answer.accept(
                switch (listed) {
                  case RegistrationStore.ListAnswer.Page page -> users(page, loop.now());
                  case RegistrationStore.ListAnswer.Unavailable(String detail) ->
                      new UsersAnswer.Unavailable(detail);
                }));
  }

  @Override
  public void count(Consumer<CountsAnswer> answer) {
    store.count(
        counted ->
            answer.accept(
                switch (counted) {
                  case RegistrationStore.CountAnswer.Counts(long registered, long bindings) ->
                      new CountsAnswer.Counts(registered, bindings);
                  case RegistrationStore.CountAnswer.Unavailable(String detail) ->
                      new CountsAnswer.Unavailable(detail);
                }));
  }

  /** Requests that wait for the store now. */
  public int pending() {
    return pending;
  }

  private static LookupAnswer contacts(Registration record, Instant now) {
    var contacts = new ArrayList<RegisteredContact>();
    for (Binding binding : record.live(now).stream().sorted(BEST_FIRST).toList()) {
      if (binding.uri() instanceof SipUri uri) {
        contacts.add(new RegisteredContact(uri, binding));
      }
    }
    return contacts.isEmpty() ? new LookupAnswer.NotRegistered() : new LookupAnswer.Found(contacts);
  }

  private static UsersAnswer users(RegistrationStore.ListAnswer.Page page, Instant now) {
    var users = new ArrayList<RegisteredUser>();
    for (RegistrationStore.Entry entry : page.entries()) {
      List<Binding> live = entry.current().record().live(now);
      if (!live.isEmpty()) {
        users.add(new RegisteredUser(entry.aor(), live));
      }
    }
    return new UsersAnswer.Page(
        users, page.more() ? Optional.of(page.entries().getLast().aor()) : Optional.empty());
  }

  /** One request on its way. */
  private final class Run {
    private final SipRequest request;
    private final Flow flow;
    private final Consumer<SipResponse> respond;
    private int attempts;

    Run(SipRequest request, Flow flow, Consumer<SipResponse> respond) {
      this.request = request;
      this.flow = flow;
      this.respond = respond;
    }

    /** RFC 3261 10.3 steps 1 to 5. */
    void start() {
      if (pending >= limits.maxPending()) {
        answerLater(RegisterResult.OVERLOADED, unavailable());
        return;
      }
      List<String> unsupported =
          request.optionTags(HeaderName.REQUIRE).stream()
              .filter(option -> SUPPORTED.stream().noneMatch(option::equalsIgnoreCase))
              .toList();
      if (!unsupported.isEmpty()) {
        answerLater(
            RegisterResult.BAD_EXTENSION, RegisterResponses.badExtension(request, unsupported));
        return;
      }
      AccessDecision decision =
          policy.decide(AccessRequest.of(request, flow.remote().ip()), loop.now());
      Optional<SipResponse> noAccess = AccessResponses.of(request, decision, limits.retryAfter());
      if (!(decision instanceof AccessDecision.Accepted accepted)) {
        listener.decided(Method.REGISTER, decision, flow);
        answerLater(RegisterResult.NO_ACCESS, noAccess.orElseThrow());
        return;
      }
      if (!(request.uri() instanceof SipUri domain)) {
        refuseLater(RegisterResult.UNSUPPORTED_SCHEME, 416, "Unsupported URI Scheme");
        return;
      }
      if (!mayRegister(accepted)) {
        refuseLater(RegisterResult.NOT_OWN_IDENTITY, 403, "Forbidden");
        return;
      }
      Optional<Aor> aor =
          request.to().uri() instanceof SipUri to ? domains.aorOf(to) : Optional.empty();
      if (aor.isEmpty() || !domains.own(domain.host())) {
        refuseLater(RegisterResult.NOT_OURS, 404, "Not Found");
        return;
      }
      boolean wildcard = request.contactIsWildcard();
      if (wildcard && !request.contacts().isEmpty()) {
        refuseLater(RegisterResult.BAD_WILDCARD, 400, "Contact * must stand alone");
        return;
      }
      pending++;
      Register register = facts(aor.get(), accepted);
      store.read(register.aor(), read -> read(register, accepted, read));
    }

    /** Step 4: who registers, and for whom, is the user or one that it may speak for. */
    private boolean mayRegister(AccessDecision.Accepted accepted) {
      return accepted.user().isEmpty()
          || isOf(accepted, request.to().uri()) && isOf(accepted, request.from().uri());
    }

    private boolean isOf(AccessDecision.Accepted accepted, Uri uri) {
      return uri instanceof SipUri sip && sip.userText().map(accepted::mayUse).orElse(false);
    }

    private Register facts(Aor aor, AccessDecision.Accepted accepted) {
      Register.Contacts contacts =
          request.contactIsWildcard()
              ? new Register.Contacts.Wildcard()
              : request.contacts().isEmpty()
                  ? new Register.Contacts.None()
                  : new Register.Contacts.Some(request.contacts());
      return new Register(
          aor,
          request.callId(),
          request.cSeq().number(),
          contacts,
          request.expires(),
          request.paths(),
          request.vias(),
          flow,
          request.header(HeaderName.USER_AGENT).orElse(""),
          accepted.nonce());
    }

    private void read(
        Register register, AccessDecision.Accepted accepted, ReadAnswer<Registration> read) {
      switch (read) {
        case ReadAnswer.Found<Registration>(var current) ->
            decide(register, accepted, current.version(), current.record());
        case ReadAnswer.Absent<Registration> absent ->
            decide(register, accepted, 0, Registration.EMPTY);
        case ReadAnswer.Unavailable<Registration> unavailable ->
            finish(RegisterResult.STORE_UNAVAILABLE, unavailable());
      }
    }

    /** Steps 6 to 8. */
    private void decide(
        Register register, AccessDecision.Accepted accepted, long version, Registration current) {
      if (attempts++ == limits.maxAttempts()) {
        finish(RegisterResult.CONTENDED, unavailable());
        return;
      }
      switch (registrar.decide(current, register, loop.now())) {
        case Outcome.Accepted ok when ok.changed() ->
            commit(register, accepted, step(register, version, ok), ok, 1);
        case Outcome.Accepted ok -> succeed(accepted, ok);
        case Outcome.NonceReused reused -> {
          var challenge =
              policy.challengeReused(AccessRequest.of(request, flow.remote().ip()), loop.now());
          listener.decided(Method.REGISTER, challenge, flow);
          finish(
              RegisterResult.NO_ACCESS,
              AccessResponses.of(request, challenge, limits.retryAfter()).orElseThrow());
        }
        case Outcome.Refused refused -> {
          listener.decided(Method.REGISTER, accepted, flow);
          refuse(refused);
        }
      }
    }

    private RegistrationCommit step(Register register, long version, Outcome.Accepted ok) {
      var id = new CommitId(random.getAsLong());
      return new RegistrationCommit(
          register.aor(),
          version,
          id,
          ok.next(),
          events.encoder().encode(id, loop.now(), ok.changes()));
    }

    private void commit(
        Register register,
        AccessDecision.Accepted accepted,
        RegistrationCommit step,
        Outcome.Accepted ok,
        int sends) {
      store.commit(
          step,
          answer -> {
            switch (answer) {
              case CommitAnswer.Applied<Registration> applied -> committed(accepted, step, ok);
              case CommitAnswer.AlreadyApplied<Registration> applied ->
                  committed(accepted, step, ok);
              case CommitAnswer.Conflict<Registration>(var current) ->
                  decide(register, accepted, current.version(), current.record());
              case CommitAnswer.Gone<Registration> gone ->
                  decide(register, accepted, 0, Registration.EMPTY);
              // No keeper has a say in registrations.
              case CommitAnswer.Fenced<Registration> fenced ->
                  finish(RegisterResult.STORE_UNAVAILABLE, unavailable());
              case CommitAnswer.Full<Registration> full ->
                  finish(RegisterResult.OUTBOX_FULL, unavailable());
              case CommitAnswer.Unknown<Registration> unknown -> {
                if (sends < limits.maxSends()) {
                  commit(register, accepted, step, ok, sends + 1);
                } else {
                  finish(RegisterResult.STORE_UNAVAILABLE, unavailable());
                }
              }
            }
          });
    }

    private void committed(
        AccessDecision.Accepted accepted, RegistrationCommit step, Outcome.Accepted ok) {
      if (!step.events().isEmpty()) {
        events.sink().committed(step.aor());
      }
      succeed(accepted, ok);
    }

    private void succeed(AccessDecision.Accepted accepted, Outcome.Accepted ok) {
      listener.decided(Method.REGISTER, accepted, flow);
      for (BindingChange change : ok.changes()) {
        listener.changed(change);
      }
      Instant now = loop.now();
      finish(RegisterResult.ACCEPTED, RegisterResponses.ok(request, ok.next().live(now), now));
    }

    private void refuse(Outcome.Refused refused) {
      var why = refused.why();
      RegisterResult result =
          switch (why) {
            case WILDCARD_WITHOUT_ZERO -> RegisterResult.BAD_WILDCARD;
            case INTERVAL_TOO_BRIEF -> RegisterResult.INTERVAL_TOO_BRIEF;
            case OUT_OF_ORDER -> RegisterResult.OUT_OF_ORDER;
            case TOO_MANY_BINDINGS -> RegisterResult.TOO_MANY_BINDINGS;
          };
      finish(
          result,
          refused.minExpires().isPresent()
              ? RegisterResponses.tooBrief(request, why.phrase(), refused.minExpires().getAsLong())
              : RegisterResponses.refusal(request, why.status(), why.phrase()));
    }

    private SipResponse unavailable() {
      return RegisterResponses.unavailable(request, limits.retryAfter());
    }

    private void refuseLater(RegisterResult result, int status, String phrase) {
      answerLater(result, RegisterResponses.refusal(request, status, phrase));
    }

    private void answerLater(RegisterResult result, SipResponse response) {
      loop.execute(() -> answer(result, response));
    }

    private void finish(RegisterResult result, SipResponse response) {
      pending--;
      answer(result, response);
    }

    private void answer(RegisterResult result, SipResponse response) {
      listener.answered(result, flow);
      respond.accept(response);
    }
  }
}
