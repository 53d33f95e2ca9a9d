package io.sippbx.app.demo;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.net.Endpoint;

/** What the demo knows of the node that it shows: addresses, and counts that must end at zero. */
public interface DemoNode extends AutoCloseable {

  /** Starts a node with all planes. */
  @FunctionalInterface
  interface Starter {
    /**
     * Starts it.
     *
     * @throws DemoFailure if it could not be started; nothing is left running then
     */
    DemoNode start(Configuration configuration) throws DemoFailure;
  }

  /**
   * Where it listens for SIP.
   *
   * @throws DemoFailure if it does not over this transport
   */
  Endpoint sip(TransportProtocol protocol) throws DemoFailure;

  /**
   * Where it answers {@code /health} and {@code /api/stats}.
   *
   * @throws DemoFailure if it does not
   */
  Endpoint operations() throws DemoFailure;

  /** Calls that are being set up or are up. */
  int activeCalls();

  /** Port pairs that media sessions hold; at most a second old. */
  int lentPortPairs();

  /** Stops it; bounded, a few seconds in all. */
  @Override
  void close();
}
