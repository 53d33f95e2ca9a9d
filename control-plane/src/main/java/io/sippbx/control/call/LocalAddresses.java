package io.sippbx.control.call;

import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.Optional;

/** What this node (or, in shared-address mode, all of them) writes into Via and Contact. */
public interface LocalAddresses {

  /**
   * The advertised address of the listener for this protocol that such a peer can reach, if there
   * is one.
   */
  Optional<Endpoint> advertised(TransportProtocol protocol, IpAddress peer);
}
