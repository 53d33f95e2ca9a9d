package io.sippbx.system;

import io.sippbx.system.Sipp.Transport;
import java.nio.file.Path;

/** What many tests do with phones. */
final class Phones {

  private Phones() {}

  /** Registers a user at a callee that listens, where nobody asks for a password. */
  static void register(
      EdgeProcess edge, Path folder, Transport transport, String user, String ip, Sipp callee) {
    Sipp.scenario("register")
        .over(transport)
        .at(ip)
        .with("user", user)
        .with("contact", contact(user, ip, callee, transport))
        .succeed(folder, edge.sip(transport));
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
}
