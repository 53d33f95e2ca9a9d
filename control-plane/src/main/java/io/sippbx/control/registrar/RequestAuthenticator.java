package io.sippbx.control.registrar;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.auth.AccessPolicy;
import io.sippbx.control.sip.auth.AccessRequest;
import io.sippbx.control.sip.auth.NonceMemory;
import io.sippbx.control.sip.auth.NonceUse;
import io.sippbx.control.sip.auth.User;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationStore;
import java.util.function.Consumer;

/**
 * Settles who sends a request that leaves no record of its own: INVITE outside a dialog, OPTIONS,
 * MESSAGE and so on. (For REGISTER see {@link RegistrarService}.)
 *
 * <p>Right credentials are held against the nonce counts of the user's registration, which the
 * whole cluster shares, and against the memory of this node. Confined to one loop; the memory is
 * shared by all loops of the node.
 */
public final class RequestAuthenticator {

  private final Loop loop;
  private final RegistrationStore store;
  private final AccessPolicy policy;
  private final OwnDomains domains;
  private final NonceMemory memory;
  private final RegistrarListener listener;

  /**
   * @param store answers on {@code loop}
   * @param memory the one of this node
   */
  public RequestAuthenticator(
      Loop loop,
      RegistrationStore store,
      AccessPolicy policy,
      OwnDomains domains,
      NonceMemory memory,
      RegistrarListener listener) {
    this.loop = loop;
    this.store = store;
    this.policy = policy;
    this.domains = domains;
    this.memory = memory;
    this.listener = listener;
  }

  /**
   * Decides. Call on the loop; the answer comes later, exactly once, as a task of the loop. What is
   * not accepted is answered with {@link io.sippbx.control.sip.auth.AccessResponses}. Requests
   * within a dialog need not be asked: their tags are known to the parties only.
   */
  public void authenticate(SipRequest request, Flow flow, Consumer<AccessDecision> answer) {
    var facts = AccessRequest.of(request, flow.remote().ip());
    AccessDecision decision = policy.decide(facts, loop.now());
    if (decision instanceof AccessDecision.Accepted accepted
        && accepted.user().isPresent()
        && accepted.nonce().isPresent()) {
      User user = accepted.user().get();
      NonceUse use = accepted.nonce().get();
      store.read(
          new Aor(user.name(), domains.canonical()),
          read -> {
            AccessDecision settled = settle(facts, accepted, use, read);
            listener.decided(request.method(), settled, flow);
            answer.accept(settled);
          });
    } else {
      loop.execute(
          () -> {
            listener.decided(request.method(), decision, flow);
            answer.accept(decision);
          });
    }
  }

  private AccessDecision settle(
      AccessRequest request,
      AccessDecision.Accepted accepted,
      NonceUse use,
      ReadAnswer<Registration> read) {
    return switch (read) {
      case ReadAnswer.Found<Registration>(var current) ->
          current.record().nonces().allows(use)
              ? settleHere(request, accepted, use)
              : policy.challengeReused(request, loop.now());
      case ReadAnswer.Absent<Registration> absent -> settleHere(request, accepted, use);
      case ReadAnswer.Unavailable<Registration>(String detail) ->
          new AccessDecision.Unavailable(detail);
    };
  }

  private AccessDecision settleHere(
      AccessRequest request, AccessDecision.Accepted accepted, NonceUse use) {
    return memory.use(use, loop.now()) ? accepted : policy.challengeReused(request, loop.now());
  }
}
