package io.sippbx.system;

import io.sippbx.system.Sipp.Transport;
import java.io.IOException;
import java.nio.file.Path;

/** A call between two phones of which sipp does the signalling and {@link RtpPhone} the media. */
final class Conversation implements AutoCloseable {

  private final RtpPhone alice;
  private final RtpPhone bob;
  private final Sipp called;
  private final Sipp calling;

  private Conversation(RtpPhone alice, RtpPhone bob, Sipp called, Sipp calling) {
    this.alice = alice;
    this.bob = bob;
    this.called = called;
    this.calling = calling;
  }

  /** Has bob registered at the edge and called by alice; each does as its script says. */
  @SuppressWarnings("MustBeClosed") // What is begun is handed out, or closed here.
  static Conversation begin(EdgeProcess edge, Path folder, Script caller, Script callee)
      throws IOException {
    RtpPhone alice = RtpPhone.at("127.0.0.1");
    RtpPhone bob = RtpPhone.at("127.0.0.1");
    Sipp called = Sipp.script("callee", callee).with("rtp", bob.port()).within(300).listen(folder);
    Phones.register(edge, folder, Transport.UDP, "bob", "127.0.0.1", called);
    Sipp calling =
        Sipp.script("caller", caller)
            .with("rtp", alice.port())
            .within(300)
            .start(folder, edge.sip(Transport.UDP));
    return new Conversation(alice, bob, called, calling);
  }

  /** The caller's end of the call. */
  Sipp calling() {
    return calling;
  }

  /** Waits until each hears the other through the ports that they were told first. */
  void flows() {
    flows(calling.relayPort(), called.relayPort());
  }

  /** The same through the ports that they were told after those. */
  void flowsElsewhere() {
    flows(calling.relayPort(2), called.relayPort(2));
  }

  private void flows(int toAlice, int toBob) {
    bob.isHeardBy(alice, toBob, toAlice);
    alice.isHeardBy(bob, toAlice, toBob);
  }

  /** How often the phones were sent an INVITE to the Contact that they gave in their dialogs. */
  long reinvites() {
    return reinvites(calling) + reinvites(called);
  }

  private static long reinvites(Sipp phone) {
    return phone.messages().lines().filter(line -> line.startsWith("INVITE sip:phone@")).count();
  }

  /** Waits until both scenarios are through. */
  void awaitSuccess() {
    calling.awaitSuccess();
    called.awaitSuccess();
  }

  @Override
  public void close() {
    calling.close();
    called.close();
    bob.close();
    alice.close();
  }
}
