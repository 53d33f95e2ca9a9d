package io.sippbx.system;

import io.sippbx.system.Sipp.Transport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/** What many tests do with phones. */
final class Phones {

  private Phones() {}

  // sipp registers and listens in two processes, so that the connection of a registration is gone
  // when the call comes: only a contact of another host is called over a connection of its own.
  private static final String REGISTRANT_IP = "127.0.0.9";
  private static final Duration REGISTERED_WITHIN = Duration.ofSeconds(40);

  /** Where a registration for a callee comes from. */
  static String registrant(Transport transport, String ip) {
    return transport == Transport.TCP ? REGISTRANT_IP : ip;
  }

  /**
   * Registers a user at a callee that listens, where nobody asks for a password. A node on a busy
   * machine may ask it to come again.
   */
  static void register(
      EdgeProcess edge, Path folder, Transport transport, String user, String ip, Sipp callee) {
    Sipp.Builder phone = registering(transport, user, ip, callee);
    Await.until(
        user + " is registered",
        REGISTERED_WITHIN,
        () -> {
          try (Sipp attempt = phone.start(folder, edge.sip(transport))) {
            if (attempt.isPutOff()) {
              return false;
            }
            attempt.awaitSuccess();
            return true;
          }
        },
        isRegistered -> isRegistered);
  }

  /** The same, and the first attempt is to do. */
  static void registerAtOnce(
      EdgeProcess edge, Path folder, Transport transport, String user, String ip, Sipp callee) {
    registering(transport, user, ip, callee).succeed(folder, edge.sip(transport));
  }

  private static Sipp.Builder registering(
      Transport transport, String user, String ip, Sipp callee) {
    return Sipp.scenario("register")
        .over(transport)
        .at(registrant(transport, ip))
        .with("user", user)
        .with("contact", contact(user, ip, callee, transport));
  }

  /** The address of a listening callee. */
  static String contact(String user, String ip, Sipp callee, Transport transport) {
    return "sip:"
        + user
        + "@"
        + ip
        + ":"
        + callee.port()
        + (transport == Transport.TCP ? ";transport=tcp" : "");
  }

  /** A call that was, and left nothing behind. */
  record Outcome(String callId, String callee, String callerSaw, String calleeSaw) {}

  /** A call between two scenarios, both of which must succeed, and which leaves nothing behind. */
  static Outcome call(
      EdgeProcess edge,
      Path folder,
      Transport transport,
      Sipp.Builder callerScenario,
      Sipp.Builder calleeScenario) {
    // A user of its own for each call: what is registered stays so.
    String bob = "bob-" + UUID.randomUUID();
    try (Sipp callee = calleeScenario.over(transport).listen(folder)) {
      register(edge, folder, transport, bob, "127.0.0.1", callee);
      Sipp caller =
          callerScenario.over(transport).with("callee", bob).succeed(folder, edge.sip(transport));
      callee.awaitSuccess();
      edge.awaitNothingLeft();
      return new Outcome(caller.callId(), bob, caller.messages(), callee.messages());
    }
  }
}
