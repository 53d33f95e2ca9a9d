package io.sippbx.control.registrar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.sippbx.control.event.EventSink;
import io.sippbx.control.event.RegistrationEventEncoder;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.registrar.ContactLookup.LookupAnswer;
import io.sippbx.control.registrar.FaultyRegistrationStore.Fault;
import io.sippbx.control.registrar.RegisteredUsers.CountsAnswer;
import io.sippbx.control.registrar.RegisteredUsers.UsersAnswer;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.registrar.binding.BindingChange.Kind;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Registers;
import io.sippbx.control.registrar.binding.Registrar;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessResponses;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ChallengeReason;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.auth.NonceMemory;
import io.sippbx.control.sip.auth.User;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.message.Tag;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.InMemoryRegistrationStore;
import io.sippbx.control.store.InlineLoop;
import io.sippbx.control.store.OutboxEvent;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.testkit.VirtualLoop;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.proto.event.v1.RegistrationKind;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("registrar at run time (RFC 3261 10.3)")
class RegistrarServiceTest {

  private static final Aor BOB = new Aor("bob", "pbx.example");
  private static final OwnDomains DOMAINS = new OwnDomains(List.of("pbx.example"), "pbx.example");

  /** Events of a partition from which on less and less is told. */
  private static final int OUTBOX = 20;

  private static final byte[] SECRET = "cluster".getBytes(StandardCharsets.UTF_8);

  private final VirtualLoops time = VirtualLoops.inOrder();
  private final VirtualLoop loop = time.loop("a");
  private final InMemoryCallStore<String> calls =
      new InMemoryCallStore<>(new Loops(List.of(loop)), OUTBOX);
  private final InMemoryRegistrationStore records =
      new InMemoryRegistrationStore(100, loop, calls.registrationOutbox());
  private final FaultyRegistrationStore store = new FaultyRegistrationStore(records, loop);
  private final Heard heard = new Heard();
  private long ids;

  private final Phone bob = new Phone("bob", "zanzibar", "192.0.2.9");
  private final Phone alice = new Phone("alice", "wonder", "192.0.2.10");
  private final RegistrarService open = service(new ConfiguredUsers("pbx.example", List.of()));
  private final RegistrarService closed =
      service(
          new ConfiguredUsers(
              "pbx.example",
              List.of(
                  User.withPassword("bob", "zanzibar"),
                  User.withPassword("alice", "wonder"),
                  User.withPassword("boss", "big").withIdentities(List.of(User.ANY_IDENTITY)))));

  private RegistrarService service(ConfiguredUsers users) {
    return service(users, RegistrarLimits.DEFAULT);
  }

  private RegistrarService service(ConfiguredUsers users, RegistrarLimits limits) {
    return new RegistrarService(
        loop,
        store,
        new AccessPolicy(AuthSettings.of("pbx.example"), users, SECRET, DOMAINS::own),
        DOMAINS,
        new Registrar(RegistrarSettings.DEFAULT),
        limits,
        () -> ++ids,
        heard,
        new RegistrarService.Events(new RegistrationEventEncoder(new NodeId("node-1")), heard));
  }

  private static final class Heard implements RegistrarListener, EventSink {
    private final List<Aor> committed = new ArrayList<>();
    private final List<BindingChange> events = new ArrayList<>();
    private final List<RegisterResult> results = new ArrayList<>();
    private final List<AccessDecision> decisions = new ArrayList<>();

    @Override
    public void changed(BindingChange event) {
      events.add(event);
    }

    @Override
    public void publish(List<CallEvent> events) {
      throw new IllegalStateException("a registrar tells of no calls");
    }

    @Override
    public void committed(Aor aor) {
      committed.add(aor);
    }

    @Override
    public void answered(RegisterResult result, Flow flow) {
      results.add(result);
    }

    @Override
    public void decided(Method method, AccessDecision decision, Flow flow) {
      decisions.add(decision);
    }

    private List<Kind> kinds() {
      return events.stream().map(BindingChange::kind).toList();
    }

    private ChallengeReason lastReason() {
      return ((AccessDecision.Challenge) decisions.getLast()).reason();
    }
  }

  private <T> T ask(Consumer<Consumer<T>> question) {
    var answers = new ArrayList<T>();
    loop.execute(
        () -> {
          question.accept(answers::add);
          assertThat(answers).as("answered inline").isEmpty();
        });
    time.runReady();
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private SipResponse send(RegistrarService service, SipRequest request, Flow flow) {
    return this.<SipResponse>ask(answer -> service.register(request, flow, answer));
  }

  /** By way of the challenge. */
  private SipResponse registered(Phone phone, long expires) {
    phone.learn(send(closed, phone.register(expires), phone.flow));
    return send(closed, phone.register(expires), phone.flow);
  }

  private LookupAnswer lookup(Aor aor) {
    return this.<LookupAnswer>ask(answer -> closed.lookup(aor, answer));
  }

  private static List<String> contacts(SipResponse response) {
    return response.contacts().stream().map(NameAddr::toString).toList();
  }

  @Nested
  class WithDigest {
    @Test
    void challengesThenRegisters() {
      SipResponse challenge = send(closed, bob.register(600), bob.flow);
      assertThat(challenge.status()).isEqualTo(401);
      assertThat(challenge.headers(HeaderName.WWW_AUTHENTICATE)).hasSize(2);
      assertThat(challenge.toTag()).isPresent();
      assertThat(store.readCount).as("a challenge touches no record").isZero();
      bob.learn(challenge);
      SipResponse ok = send(closed, bob.register(600), bob.flow);
      assertThat(ok.status()).isEqualTo(200);
      assertThat(contacts(ok)).containsExactly("<sip:bob@192.0.2.9:5060>;expires=600");
      assertThat(ok.header(HeaderName.DATE).orElseThrow())
          .matches("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT");
      assertThat(heard.results).containsExactly(RegisterResult.NO_ACCESS, RegisterResult.ACCEPTED);
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED);
      assertThat(closed.pending()).isZero();
    }

    @Test
    void answersARepeatOfTheChallengedRequestWithTheSameTag() {
      SipRequest request = bob.register(600);
      SipResponse first = send(closed, request, bob.flow);
      time.advance(Duration.ofMillis(500));
      assertThat(send(closed, request, bob.flow).toTag()).isEqualTo(first.toTag());
      SipRequest otherBranch =
          request.toBuilder()
              .replaceTopVia(
                  request.topVia().withParams(request.topVia().params().with("branch", "z9hG4bKo")))
              .build();
      assertThat(send(closed, otherBranch, bob.flow).toTag()).isNotEqualTo(first.toTag());
    }

    @Test
    void refreshesAndRemovesWithTheSameNonce() {
      registered(bob, 600);
      assertThat(send(closed, bob.register(700), bob.flow).status()).isEqualTo(200);
      SipResponse gone = send(closed, bob.register(0), bob.flow);
      assertThat(gone.status()).isEqualTo(200);
      assertThat(gone.contacts()).isEmpty();
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED, Kind.REFRESHED, Kind.REMOVED);
      assertThat(lookup(BOB)).isEqualTo(new LookupAnswer.NotRegistered());
    }

    @Test
    void answersStaleToUsedCredentialsInAnotherRequest() {
      registered(bob, 600);
      SipRequest next = bob.register(600);
      assertThat(send(closed, next, bob.flow).status()).isEqualTo(200);
      SipRequest replay =
          next.toBuilder()
              .cSeq(99)
              .removeHeaders(HeaderName.CONTACT)
              .contact(NameAddr.of(Uri.of("sip:thief@203.0.113.66")))
              .build();
      SipResponse answer = send(closed, replay, bob.flow);
      assertThat(answer.status()).isEqualTo(401);
      assertThat(answer.headers(HeaderName.WWW_AUTHENTICATE))
          .allMatch(value -> value.endsWith("stale=true"));
      assertThat(heard.lastReason()).isEqualTo(ChallengeReason.NONCE_REUSED);
      assertThat(closed.pending()).isZero();
    }

    @Test
    void answersTheVeryRequestAgainWithTheBindings() {
      bob.learn(send(closed, bob.register(600), bob.flow));
      SipRequest request = bob.register(600);
      SipResponse first = send(closed, request, bob.flow);
      SipResponse again = send(closed, request, bob.flow);
      assertThat(again.status()).isEqualTo(200);
      assertThat(again.toTag()).isEqualTo(first.toTag());
      assertThat(contacts(again)).isEqualTo(contacts(first));
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED);
      assertThat(store.ids).hasSize(1);
    }

    @Test
    void answersStaleWhenTheNonceIsTooOld() {
      registered(bob, 600);
      time.advance(Duration.ofMinutes(5));
      SipResponse answer = send(closed, bob.register(600), bob.flow);
      assertThat(answer.status()).isEqualTo(401);
      assertThat(heard.lastReason()).isEqualTo(ChallengeReason.NONCE_EXPIRED);
      bob.learn(answer);
      assertThat(send(closed, bob.register(600), bob.flow).status()).isEqualTo(200);
    }

    @Test
    void asksAgainForTheRightPassword() {
      var liar = new Phone("bob", "wrong", "192.0.2.66");
      liar.learn(send(closed, liar.register(600), liar.flow));
      SipResponse answer = send(closed, liar.register(600), liar.flow);
      assertThat(answer.status()).isEqualTo(401);
      assertThat(heard.lastReason()).isEqualTo(ChallengeReason.WRONG_PASSWORD);
      assertThat(store.readCount).isZero();
    }

    @Test
    void refusesMalformedCredentials() {
      SipResponse answer =
          send(
              closed,
              bob.register().header(HeaderName.AUTHORIZATION, "Digest nonsense").build(),
              bob.flow);
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.reason()).contains("Authorization");
    }

    @Test
    void refusesToRegisterForOrAsAnother() {
      alice.learn(send(closed, alice.register(600), alice.flow));
      var bobsAddress = NameAddr.of(BOB.toUri());
      SipRequest forBob = alice.register().to(bobsAddress).contact(alice.contact()).build();
      assertThat(send(closed, forBob, alice.flow).status()).isEqualTo(403);
      SipRequest asBob =
          alice.register().from(bobsAddress.withTag(new Tag("x"))).contact(alice.contact()).build();
      assertThat(send(closed, asBob, alice.flow).status()).isEqualTo(403);
      assertThat(heard.results)
          .endsWith(RegisterResult.NOT_OWN_IDENTITY, RegisterResult.NOT_OWN_IDENTITY);
      assertThat(lookup(BOB)).isEqualTo(new LookupAnswer.NotRegistered());
    }

    @Test
    void letsAUserWithTheAllowanceRegisterForAnother() {
      var boss = new Phone("boss", "big", "192.0.2.11");
      boss.learn(send(closed, boss.register(600), boss.flow));
      SipRequest forBob =
          boss.register().to(NameAddr.of(BOB.toUri())).contact(boss.contact()).build();
      assertThat(send(closed, forBob, boss.flow).status()).isEqualTo(200);
      assertThat(lookup(BOB)).isInstanceOf(LookupAnswer.Found.class);
    }
  }

  @Nested
  class WithoutUsers {
    @Test
    void registersFromLoopbackOnly() {
      var local = new Phone("bob", "", "127.0.0.1");
      assertThat(send(open, local.register(600), local.flow).status()).isEqualTo(200);
      SipResponse refused = send(open, bob.register(600), bob.flow);
      assertThat(refused.status()).isEqualTo(403);
      assertThat(refused.headers(HeaderName.WWW_AUTHENTICATE)).isEmpty();
      assertThat(heard.decisions.getLast())
          .isInstanceOfSatisfying(
              AccessDecision.Refused.class, r -> assertThat(r.advice()).isPresent());
    }
  }

  @Nested
  class Answers {
    private final Phone local = new Phone("bob", "", "127.0.0.1");

    private SipResponse send(SipRequest request) {
      return RegistrarServiceTest.this.send(open, request, local.flow);
    }

    @Test
    void listAllBindings() {
      send(
          local
              .register()
              .addContact(
                  NameAddr.parse("<sip:a@h>;q=0.7;expires=90;+sip.instance=\"<urn:x>\"")
                      .orElseThrow())
              .addContact(NameAddr.parse("\"Desk\" <sip:b@h>").orElseThrow())
              .build());
      time.advance(Duration.ofMillis(29_500));
      assertThat(contacts(send(local.register().build())))
          .containsExactly(
              "<sip:a@h>;q=0.7;+sip.instance=\"<urn:x>\";expires=61",
              "\"Desk\" <sip:b@h>;expires=3571");
    }

    @Test
    void carryMinExpires() {
      SipResponse answer = send(local.register(10));
      assertThat(answer.status()).isEqualTo(423);
      assertThat(answer.reason()).isEqualTo("Interval Too Brief");
      assertThat(answer.minExpires()).hasValue(60);
      assertThat(heard.results).containsExactly(RegisterResult.INTERVAL_TOO_BRIEF);
    }

    @Test
    void nameWhatIsNotSupported() {
      SipResponse answer =
          send(local.register().header(HeaderName.REQUIRE, "path, gruu, outbound").build());
      assertThat(answer.status()).isEqualTo(420);
      assertThat(answer.optionTags(HeaderName.UNSUPPORTED)).containsExactly("gruu", "outbound");
      assertThat(send(local.register().header(HeaderName.REQUIRE, "PATH").build()).status())
          .isEqualTo(200);
    }

    @Test
    @DisplayName("RFC 3327 5.3")
    void echoThePathToWhoUnderstandsIt() {
      SipRequest.Builder request =
          local
              .register()
              .contact(local.contact())
              .addHeader(HeaderName.PATH, "<sip:edge1.example;lr>")
              .addHeader(HeaderName.PATH, "<sip:edge2.example;lr>");
      assertThat(send(request.build()).paths()).isEmpty();
      SipResponse answer = send(request.cSeq(9).header(HeaderName.SUPPORTED, "gruu, path").build());
      assertThat(answer.paths()).hasSize(2);
      var found = (LookupAnswer.Found) lookup(BOB);
      assertThat(found.contacts().getFirst().binding().path()).isEqualTo(answer.paths());
    }

    @ParameterizedTest(name = "REGISTER {0}, To {1}: {2}")
    @CsvSource({
      "sip:pbx.example, sip:bob@pbx.example, 200",
      "sip:pbx.example:5070;transport=udp, sip:bob@PBX.example;x=1, 200",
      "sip:other.example, sip:bob@pbx.example, 404",
      "sip:pbx.example, sip:bob@other.example, 404",
      "sip:pbx.example, sip:pbx.example, 404",
      "sip:pbx.example, tel:+12015550123, 404",
      "tel:+12015550123, sip:bob@pbx.example, 416",
    })
    void dependOnWhoseAddressItIs(String uri, String to, int status) {
      SipRequest request =
          local
              .register()
              .uri(Uri.of(uri))
              .to(NameAddr.of(Uri.of(to)))
              .contact(local.contact())
              .build();
      assertThat(send(request).status()).isEqualTo(status);
    }

    @Test
    void refuseAnOldCSeqAndABadWildcard() {
      SipRequest second = local.register().cSeq(7).contact(local.contact()).build();
      assertThat(send(second).status()).isEqualTo(200);
      assertThat(
              send(local.register().cSeq(7).contact(local.contact()).expires(99).build()).status())
          .isEqualTo(500);
      assertThat(send(local.register().cSeq(8).header(HeaderName.CONTACT, "*").build()).status())
          .isEqualTo(400);
      assertThat(
              send(local.register().cSeq(8).header(HeaderName.CONTACT, "*").expires(0).build())
                  .status())
          .isEqualTo(200);
      assertThat(heard.results)
          .containsExactly(
              RegisterResult.ACCEPTED,
              RegisterResult.OUT_OF_ORDER,
              RegisterResult.BAD_WILDCARD,
              RegisterResult.ACCEPTED);
    }

    @Test
    void refuseTooManyBindings() {
      var request = local.register();
      for (int i = 0; i < 11; i++) {
        request.addContact(NameAddr.of(Uri.of("sip:" + i + "@h")));
      }
      SipResponse answer = send(request.build());
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.reason()).isEqualTo("Too Many Bindings");
    }

    @Test
    void areForRegisterOnly() {
      SipRequest invite =
          local.request(Method.INVITE, "sip:bob@pbx.example", "sip:bob@pbx.example").build();
      assertThatThrownBy(() -> open.register(invite, local.flow, response -> {}))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Nested
  @DisplayName("law 2: decide, commit, act")
  class Commits {
    private final Phone local = new Phone("bob", "", "127.0.0.1");

    private SipResponse send(SipRequest request) {
      return RegistrarServiceTest.this.send(open, request, local.flow);
    }

    @Test
    void areSentAgainWithTheSameIdUntilTheOutcomeIsKnown() {
      store.onCommits(Fault.LOST, Fault.ANSWER_LOST);
      assertThat(send(local.register(600)).status()).isEqualTo(200);
      assertThat(store.ids).hasSize(3).allMatch(store.ids.getFirst()::equals);
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED);
    }

    @Test
    void thatStayUnknownAreAnsweredWith503() {
      store.onCommits(Fault.LOST, Fault.LOST, Fault.LOST);
      SipResponse answer = send(local.register(600));
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.header(HeaderName.RETRY_AFTER)).contains("5");
      assertThat(heard.events).isEmpty();
      assertThat(heard.results).containsExactly(RegisterResult.STORE_UNAVAILABLE);
      assertThat(open.pending()).isZero();
    }

    @Test
    void areDecidedAnewAfterAConflict() {
      var other = new Phone("bob", "", "127.0.0.2");
      var answers = new ArrayList<SipResponse>();
      loop.execute(
          () -> {
            open.register(local.register(600), local.flow, answers::add);
            open.register(other.register(600), other.flow, answers::add);
          });
      time.runReady();
      assertThat(answers).extracting(SipResponse::status).containsExactly(200, 200);
      assertThat(answers.getLast().contacts()).hasSize(2);
      assertThat(((LookupAnswer.Found) lookup(BOB)).contacts()).hasSize(2);
      // Three commits, each with an id of its own: the one that lost was decided anew.
      assertThat(store.ids).hasSize(3).doesNotHaveDuplicates();
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED, Kind.REGISTERED);
      assertThat(open.pending()).isZero();
    }

    @Test
    void thatMeetConflictsForeverAreGivenUp() {
      for (int i = 0; i < 20; i++) {
        long id = 1000L + i;
        store.beforeNextCommit(
            () ->
                overwrite(
                    id, Registers.record("<sip:" + id + "@h>", loop.now().plusSeconds(60 + id))));
      }
      SipResponse answer = send(local.register(700));
      assertThat(answer.status()).isEqualTo(503);
      assertThat(heard.results).containsExactly(RegisterResult.CONTENDED);
      assertThat(store.ids).hasSize(RegistrarLimits.DEFAULT.maxAttempts());
      assertThat(open.pending()).isZero();
    }

    @Test
    void ofARecordThatIsGoneStartAnew() {
      send(local.register(600));
      store.beforeNextCommit(() -> overwrite(1000, Registration.EMPTY));
      SipResponse answer = send(local.register(600));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(contacts(answer)).containsExactly("<sip:bob@127.0.0.1:5060>;expires=600");
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED, Kind.REGISTERED);
    }

    @Test
    void thatWereAppliedAfterAllAreNoticedInTheRecordOfAnother() {
      // Our commit is applied, its answer is lost, and another writes before it is sent again.
      store.onCommits(Fault.ANSWER_LOST);
      store.beforeNextCommit(() -> {});
      store.beforeNextCommit(() -> overwrite(1000, current()));
      SipResponse answer = send(local.register(600));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(contacts(answer)).containsExactly("<sip:bob@127.0.0.1:5060>;expires=600");
    }

    private InMemoryRegistrationStore direct() {
      return records.on(new InlineLoop(loop.now()));
    }

    private Registration current() {
      return versioned().map(Versioned::record).orElseThrow();
    }

    private Optional<Versioned<Registration>> versioned() {
      var found = new ArrayList<Versioned<Registration>>();
      direct()
          .read(
              BOB,
              read -> {
                if (read instanceof ReadAnswer.Found<Registration>(var current)) {
                  found.add(current);
                }
              });
      return found.stream().findFirst();
    }

    /** Somebody else writes the record. */
    private void overwrite(long id, Registration record) {
      direct()
          .commit(
              new RegistrationCommit(
                  BOB, versioned().map(Versioned::version).orElse(0L), new CommitId(id), record),
              answer -> assertThat(answer).isInstanceOf(CommitAnswer.Applied.class));
    }

    @Test
    void waitForTheRead() {
      store.onReads(Fault.LOST);
      SipResponse answer = send(local.register(600));
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.header(HeaderName.RETRY_AFTER)).contains("5");
      assertThat(store.ids).isEmpty();
      assertThat(open.pending()).isZero();
    }

    @Test
    void thatThereIsNoRoomForAreAnsweredWith503() {
      for (int i = 0; i < 100; i++) {
        var phone = new Phone("user" + i, "", "127.0.0.1");
        assertThat(send(phone.register(600)).status()).isEqualTo(200);
      }
      assertThat(send(local.register(600)).status()).isEqualTo(503);
      assertThat(records.refusals()).isEqualTo(RegistrarLimits.DEFAULT.maxSends());
    }

    @Test
    void waitInABoundedNumber() {
      RegistrarService narrow =
          service(
              new ConfiguredUsers("pbx.example", List.of()),
              new RegistrarLimits(2, 8, 3, Duration.ofSeconds(7), Duration.ZERO));
      store.holdReads = true;
      var answers = new ArrayList<SipResponse>();
      loop.execute(
          () -> {
            for (int i = 0; i < 3; i++) {
              narrow.register(local.register(600), local.flow, answers::add);
            }
          });
      time.runReady();
      assertThat(answers).hasSize(1);
      assertThat(answers.getFirst().status()).isEqualTo(503);
      assertThat(answers.getFirst().header(HeaderName.RETRY_AFTER)).contains("7");
      assertThat(heard.results).containsExactly(RegisterResult.OVERLOADED);
      assertThat(narrow.pending()).isEqualTo(2);
      store.release();
      time.runReady();
      assertThat(answers).hasSize(3);
      assertThat(narrow.pending()).isZero();
    }
  }

  @Nested
  class Lookups {
    private final Phone local = new Phone("bob", "", "127.0.0.1");

    @Test
    void orderByPreferenceThenByTheLatest() {
      // A high CSeq of another Call-ID says nothing about which is the latest.
      SipRequest early =
          new Phone("bob", "", "127.0.0.3")
              .register()
              .cSeq(1000)
              .contact(NameAddr.parse("<sip:early@h>;q=0.5").orElseThrow())
              .build();
      assertThat(send(open, early, local.flow).status()).isEqualTo(200);
      bind("<sip:best@h>;q=0.9");
      bind("<sip:late@h>;q=0.5");
      bind("<sip:default@h>");
      bind("<tel:+12015550123>");
      var found = (LookupAnswer.Found) lookup(BOB);
      assertThat(found.contacts())
          .extracting(contact -> contact.uri().user().orElseThrow())
          .containsExactly("default", "best", "late", "early");
      assertThat(found.contacts().getFirst().binding().flow()).isEqualTo(local.flow);
    }

    @Test
    void leaveOutWhatHasExpired() {
      bind("<sip:short@h>;expires=60");
      bind("<sip:long@h>;expires=120");
      time.advance(Duration.ofSeconds(60));
      assertThat(((LookupAnswer.Found) lookup(BOB)).contacts())
          .extracting(contact -> contact.uri().toString())
          .containsExactly("sip:long@h");
      time.advance(Duration.ofSeconds(60));
      assertThat(lookup(BOB)).isEqualTo(new LookupAnswer.NotRegistered());
    }

    @Test
    void sayNotRegisteredWhereNothingCanBeCalled() {
      assertThat(lookup(BOB)).isEqualTo(new LookupAnswer.NotRegistered());
      bind("<tel:+12015550123>");
      assertThat(lookup(BOB)).isEqualTo(new LookupAnswer.NotRegistered());
    }

    @Test
    void saySoWhenTheStoreIsSilent() {
      store.onReads(Fault.LOST);
      assertThat(lookup(BOB)).isEqualTo(new LookupAnswer.Unavailable("on purpose"));
    }

    private void bind(String contact) {
      time.advance(Duration.ofMillis(10));
      SipRequest request = local.register().contact(NameAddr.parse(contact).orElseThrow()).build();
      assertThat(send(open, request, local.flow).status()).isEqualTo(200);
    }
  }

  @Nested
  class Lists {
    @Test
    void giveUsersInPages() {
      for (int i = 0; i < 5; i++) {
        var phone = new Phone("user" + i, "", "127.0.0.1");
        send(open, phone.register(i == 2 ? 60 : 600), phone.flow);
      }
      time.advance(Duration.ofSeconds(60));
      UsersAnswer.Page first = list(Optional.empty());
      assertThat(first.users())
          .extracting(user -> user.aor().user())
          .as("without who has run out")
          .containsExactly("user0", "user1");
      assertThat(first.next()).contains(new Aor("user2", "pbx.example"));
      UsersAnswer.Page second = list(first.next());
      assertThat(second.users())
          .extracting(user -> user.aor().user())
          .containsExactly("user3", "user4");
      assertThat(second.next()).isEmpty();
      assertThat(count()).as("until it was told").isEqualTo(new CountsAnswer.Counts(5, 5));
    }

    @Test
    void leaveOutWhoOnlyHasARecord() {
      registered(bob, 600);
      send(closed, bob.register(0), bob.flow);
      UsersAnswer.Page page = list(Optional.empty());
      assertThat(page.users()).isEmpty();
      assertThat(count()).isEqualTo(new CountsAnswer.Counts(0, 0));
    }

    @Test
    void saySoWhenTheStoreIsSilent() {
      store.onReads(Fault.LOST, Fault.LOST);
      UsersAnswer users =
          RegistrarServiceTest.this.<UsersAnswer>ask(
              answer -> open.list(Optional.empty(), 3, answer));
      assertThat(users).isEqualTo(new UsersAnswer.Unavailable("on purpose"));
      assertThat(count()).isEqualTo(new CountsAnswer.Unavailable("on purpose"));
    }

    private UsersAnswer.Page list(Optional<Aor> after) {
      return (UsersAnswer.Page)
          RegistrarServiceTest.this.<UsersAnswer>ask(answer -> open.list(after, 3, answer));
    }

    private CountsAnswer count() {
      return RegistrarServiceTest.this.<CountsAnswer>ask(open::count);
    }
  }

  @Nested
  @DisplayName("INVITE and others")
  class Authentication {
    private final NonceMemory memory = new NonceMemory(100);
    private final RequestAuthenticator here = authenticator(memory);
    private final RequestAuthenticator elsewhere = authenticator(new NonceMemory(100));

    private RequestAuthenticator authenticator(NonceMemory of) {
      return new RequestAuthenticator(
          loop,
          store,
          new AccessPolicy(
              AuthSettings.of("pbx.example"),
              new ConfiguredUsers("pbx.example", List.of(User.withPassword("bob", "zanzibar"))),
              SECRET,
              DOMAINS::own),
          DOMAINS,
          of,
          heard);
    }

    private AccessDecision ask(RequestAuthenticator at, SipRequest request) {
      return RegistrarServiceTest.this.<AccessDecision>ask(
          answer -> at.authenticate(request, bob.flow, answer));
    }

    private SipRequest invite() {
      return bob.request(Method.INVITE, "sip:alice@pbx.example", "sip:alice@pbx.example").build();
    }

    private SipResponse response(SipRequest request, AccessDecision decision) {
      return AccessResponses.of(request, decision, Duration.ofSeconds(5)).orElseThrow();
    }

    @Test
    void isAskedBy407AndAccepted() {
      SipRequest first = invite();
      SipResponse challenge = response(first, ask(here, first));
      assertThat(challenge.status()).isEqualTo(407);
      assertThat(challenge.headers(HeaderName.PROXY_AUTHENTICATE)).hasSize(2);
      bob.learn(challenge);
      var accepted = (AccessDecision.Accepted) ask(here, invite());
      assertThat(accepted.user().map(User::name)).contains("bob");
      assertThat(heard.decisions).hasSize(2).endsWith(accepted);
    }

    @Test
    void isAcceptedWithAuthorizationToo() {
      SipRequest first = invite();
      bob.learn(response(first, ask(here, first)));
      SipRequest second = invite();
      String value = second.header(HeaderName.PROXY_AUTHORIZATION).orElseThrow();
      assertThat(
              ask(
                  here,
                  second.toBuilder()
                      .removeHeaders(HeaderName.PROXY_AUTHORIZATION)
                      .header(HeaderName.AUTHORIZATION, value)
                      .build()))
          .isInstanceOf(AccessDecision.Accepted.class);
    }

    @Test
    void takesCredentialsOnceAtANode() {
      SipRequest first = invite();
      bob.learn(response(first, ask(here, first)));
      SipRequest second = invite();
      assertThat(ask(here, second)).isInstanceOf(AccessDecision.Accepted.class);
      assertThat(ask(here, second)).isInstanceOf(AccessDecision.Challenge.class);
      assertThat(heard.lastReason()).isEqualTo(ChallengeReason.NONCE_REUSED);
      // What is left open, as docs/rfc/7616.md says: another node, until a REGISTER goes by.
      assertThat(ask(elsewhere, second)).isInstanceOf(AccessDecision.Accepted.class);
    }

    @Test
    void takesNoCredentialsThatAreOlderThanTheRegistration() {
      SipRequest first = invite();
      bob.learn(response(first, ask(here, first)));
      SipRequest second = invite();
      assertThat(send(closed, bob.register(600), bob.flow).status()).isEqualTo(200);
      assertThat(ask(elsewhere, second)).isInstanceOf(AccessDecision.Challenge.class);
      assertThat(heard.lastReason()).isEqualTo(ChallengeReason.NONCE_REUSED);
      assertThat(ask(elsewhere, invite())).isInstanceOf(AccessDecision.Accepted.class);
    }

    @Test
    void cannotBeSettledWithoutTheStore() {
      SipRequest first = invite();
      bob.learn(response(first, ask(here, first)));
      store.onReads(Fault.LOST);
      SipRequest second = invite();
      AccessDecision decision = ask(here, second);
      assertThat(decision).isEqualTo(new AccessDecision.Unavailable("on purpose"));
      SipResponse answer = response(second, decision);
      assertThat(answer.status()).isEqualTo(503);
      assertThat(answer.header(HeaderName.RETRY_AFTER)).contains("5");
      // Nothing was used up.
      assertThat(ask(here, second)).isInstanceOf(AccessDecision.Accepted.class);
    }

    @Test
    void isNotAskedOfCancel() {
      SipRequest cancel =
          bob.request(Method.CANCEL, "sip:alice@pbx.example", "sip:alice@pbx.example").build();
      assertThat(ask(here, cancel)).isEqualTo(AccessDecision.Accepted.UNASKED);
      assertThat(AccessResponses.of(cancel, AccessDecision.Accepted.UNASKED, Duration.ofSeconds(5)))
          .isEmpty();
      assertThat(store.readCount).isZero();
    }
  }

  /** What lies in the outbox of Bob's partition. */
  private List<io.sippbx.proto.event.v1.RegistrationEvent> told() {
    PartitionStore.Answer<PartitionStore.OutboxEntry> answer =
        this.<PartitionStore.Answer<PartitionStore.OutboxEntry>>ask(
            each -> calls.outbox(Partition.of(BOB), Optional.empty(), 100, each));
    return ((PartitionStore.Batch<PartitionStore.OutboxEntry>) answer)
        .entries().stream()
            .map(each -> ((OutboxEvent.OfRegistration) each.event()).event())
            .toList();
  }

  @Nested
  class Events {
    private final Phone local = new Phone("bob", "", "127.0.0.1");

    @Test
    void tellOfAContactThatIsNewAndOfOneThatIsTakenOut() {
      send(open, local.register(600), local.flow);
      send(open, local.register(0), local.flow);
      assertThat(told())
          .extracting(
              io.sippbx.proto.event.v1.RegistrationEvent::getKind,
              io.sippbx.proto.event.v1.RegistrationEvent::getAor,
              io.sippbx.proto.event.v1.RegistrationEvent::getSourceIp,
              io.sippbx.proto.event.v1.RegistrationEvent::getNodeId)
          .containsExactly(
              tuple(
                  RegistrationKind.REGISTRATION_KIND_REGISTERED,
                  "sip:bob@pbx.example",
                  "127.0.0.1",
                  "node-1"),
              tuple(
                  RegistrationKind.REGISTRATION_KIND_UNREGISTERED,
                  "sip:bob@pbx.example",
                  "127.0.0.1",
                  "node-1"));
      assertThat(told().getLast().getSeq()).isEqualTo(told().getFirst().getSeq() + 1);
      assertThat(told().getLast().getEventId()).isNotEqualTo(told().getFirst().getEventId());
      assertThat(heard.committed).containsExactly(BOB, BOB);
    }

    @Test
    void areSilentAboutAContactThatOnlyLastsLonger() {
      send(open, local.register(600), local.flow);
      send(open, local.register(600), local.flow);
      assertThat(heard.kinds()).containsExactly(Kind.REGISTERED, Kind.REFRESHED);
      assertThat(told()).hasSize(1);
      assertThat(heard.committed).containsExactly(BOB);
    }

    @Test
    void tellOfAContactThatIsReachedFromElsewhere() {
      send(open, local.register(600), local.flow);
      Flow elsewhere = Flow.udp(local.flow.local(), Endpoint.of("127.0.0.77", 4321));
      send(open, local.register(600), elsewhere);
      assertThat(told().getLast().getKind())
          .isEqualTo(RegistrationKind.REGISTRATION_KIND_REFRESHED);
      assertThat(told().getLast().getSourceIp()).isEqualTo("127.0.0.77");
      assertThat(told().getLast().getSourcePort()).isEqualTo(4321);
    }

    @Test
    void goOnCountingWhenNothingIsLeftOfTheRecord() {
      send(open, local.register(600), local.flow);
      send(open, local.register(0), local.flow);
      time.advance(Duration.ofSeconds(1));
      long last = told().getLast().getSeq();
      calls.acknowledge(Partition.of(BOB), ids(), answer -> {});
      time.advance(Duration.ofHours(1));
      send(open, local.register(600), local.flow);
      assertThat(told()).hasSize(1);
      assertThat(told().getFirst().getSeq()).isGreaterThan(last);
    }

    private List<OutboxId> ids() {
      var ids = new ArrayList<OutboxId>();
      calls.outbox(
          Partition.of(BOB),
          Optional.empty(),
          100,
          answer ->
              ((PartitionStore.Batch<PartitionStore.OutboxEntry>) answer)
                  .entries()
                  .forEach(each -> ids.add(each.id())));
      time.runReady();
      return ids;
    }

    @Test
    @DisplayName("that nobody takes end in 503 for who is new, never for who was there")
    void thatNobodyTakesEndIn503ForWhoIsNew() {
      Flow elsewhere = Flow.udp(local.flow.local(), Endpoint.of("127.0.0.77", 4321));
      for (int i = 0; i < OUTBOX; i++) {
        send(open, local.register(600), local.flow);
        send(open, local.register(600), elsewhere);
      }
      assertThat(told()).hasSize(2 * OUTBOX);
      SipResponse moved = send(open, local.register(600), local.flow);
      assertThat(moved.status()).isEqualTo(503);
      assertThat(moved.header(HeaderName.RETRY_AFTER)).isPresent();
      assertThat(heard.results.getLast()).isEqualTo(RegisterResult.OUTBOX_FULL);
      assertThat(send(open, local.register(600), elsewhere).status()).isEqualTo(200);
      assertThat(send(open, local.register(0), elsewhere).status()).isEqualTo(200);
      assertThat(told()).hasSize(2 * OUTBOX + 1);
    }
  }

  /** Several nodes' instances, phones and faults in any order: every request is answered once. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void answersEveryRequestOnceAndLosesNoBinding(long seed) {
    var random = new Random(seed);
    VirtualLoops shuffled = VirtualLoops.shuffled(seed);
    var base = new InMemoryRegistrationStore(100, shuffled.loop("unused"));
    var instances = new ArrayList<RegistrarService>();
    var loops = new ArrayList<VirtualLoop>();
    for (int i = 0; i < 3; i++) {
      VirtualLoop mine = shuffled.loop("loop-" + i);
      var faulty = new FaultyRegistrationStore(base.on(mine), mine);
      for (int f = 0; f < 60; f++) {
        faulty.onCommits(random.nextInt(4) == 0 ? Fault.ANSWER_LOST : Fault.NONE);
        faulty.onCommits(random.nextInt(6) == 0 ? Fault.LOST : Fault.NONE);
      }
      loops.add(mine);
      instances.add(
          new RegistrarService(
              mine,
              faulty,
              new AccessPolicy(
                  AuthSettings.of("pbx.example"),
                  new ConfiguredUsers("pbx.example", List.of()),
                  SECRET,
                  DOMAINS::own),
              DOMAINS,
              new Registrar(RegistrarSettings.DEFAULT),
              new RegistrarLimits(100, 50, 10, Duration.ofSeconds(5), Duration.ZERO),
              random::nextLong,
              heard,
              new RegistrarService.Events(
                  new RegistrationEventEncoder(new NodeId("node-" + i)), heard)));
    }
    var statuses = new ArrayList<Integer>();
    int phones = 8;
    for (int p = 0; p < phones; p++) {
      var phone = new Phone("bob", "", "127.0.0." + (p + 1));
      int at = random.nextInt(3);
      SipRequest request = phone.register(600);
      // A copy of some requests arrives at another node as well.
      int copies = 1 + random.nextInt(2);
      for (int c = 0; c < copies; c++) {
        int node = (at + c) % 3;
        loops
            .get(node)
            .execute(
                () ->
                    instances
                        .get(node)
                        .register(request, phone.flow, answer -> statuses.add(answer.status())));
      }
      statuses.add(-copies);
    }
    shuffled.runAll();
    int asked = -statuses.stream().filter(status -> status < 0).mapToInt(Integer::intValue).sum();
    statuses.removeIf(status -> status < 0);
    assertThat(statuses).as("seed %d", seed).hasSize(asked).containsOnly(200);
    var found = new ArrayList<LookupAnswer>();
    instances.getFirst().lookup(BOB, found::add);
    shuffled.runAll();
    assertThat(((LookupAnswer.Found) found.getFirst()).contacts())
        .as("seed %d", seed)
        .hasSize(phones);
    assertThat(instances).allMatch(instance -> instance.pending() == 0);
  }
}
