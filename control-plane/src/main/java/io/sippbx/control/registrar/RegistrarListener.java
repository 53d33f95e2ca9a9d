package io.sippbx.control.registrar;

import io.sippbx.control.registrar.binding.BindingChange;
import io.sippbx.control.sip.auth.AccessDecision;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.transport.Flow;

/**
 * Hears what the registrar does: for metrics, logs and events. Called on the loop, must not block.
 */
public interface RegistrarListener {

  /** A binding changed, and the record that says so is committed. */
  void changed(BindingChange change);

  /** A REGISTER was answered. */
  void answered(RegisterResult result, Flow flow);

  /**
   * It was decided who sends a request, of whatever method. A challenge has its reason, a refusal
   * perhaps advice for the log; whoever logs it sees to it that the log is not flooded.
   */
  void decided(Method method, AccessDecision decision, Flow flow);
}
