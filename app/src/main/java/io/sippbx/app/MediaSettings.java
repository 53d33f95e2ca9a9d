package io.sippbx.app;

import io.sippbx.control.sip.transport.AdvertisedAddresses;
import io.sippbx.media.MediaNodeSettings;
import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortRange;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.session.SessionSettings;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.MediaConfig;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the configuration means for a media node. */
final class MediaSettings {

  private MediaSettings() {}

  static MediaNodeSettings of(Configuration config, NodeId id, MediaNodeSettings.Listen listen) {
    MediaConfig media = config.media();
    SessionSettings sessions = SessionSettings.defaults();
    RelaySettings relay =
        RelaySettings.defaults()
            .withMaxSessions(media.sessions().max())
            .withLoop(
                switch (media.packetLoop()) {
                  case AUTO -> RelaySettings.LoopChoice.AUTO;
                  case URING -> RelaySettings.LoopChoice.URING;
                  case FFM -> RelaySettings.LoopChoice.FFM;
                  case NETTY -> RelaySettings.LoopChoice.NETTY;
                });
    return new MediaNodeSettings(
        id,
        listen,
        new PortRange(media.portPool().start(), media.portPool().end()),
        addresses(media.addresses()),
        media.portPool().rest(),
        MediaNodeSettings.DEFAULT_PORT_ASIDE,
        media.portPool().allowEphemeralOverlap(),
        new SessionSettings(
            media.sessions().unconfirmedTimeout(),
            sessions.tombstone(),
            sessions.maxTombstones(),
            media.sessions().orphanTimeout(),
            sessions.restoring(),
            media.sessions().max(),
            sessions.maxStreams(),
            sessions.maxWaiting(),
            sessions.maxBindTries()),
        io.sippbx.media.control.ControlSettings.defaults(),
        media.threads() == 0 ? relay : relay.withWorkers(media.threads()));
  }

  private static List<LocalAddress> addresses(MediaConfig.Addresses configured) {
    var addresses = new ArrayList<LocalAddress>();
    configured.bind().ifPresent(bind -> addresses.add(address(bind, configured.advertised())));
    configured.bindV6().ifPresent(bind -> addresses.add(address(bind, configured.advertisedV6())));
    return addresses;
  }

  /**
   * An unspecified address becomes the one that the route to peers has: packets must leave with the
   * address that the peer was told, which a socket bound to all of them does not see to.
   */
  private static LocalAddress address(IpAddress bind, Optional<IpAddress> advertised) {
    IpAddress own =
        bind.isUnspecified() ? AdvertisedAddresses.find(bind.isV6()).orElse(bind) : bind;
    return new LocalAddress(own, advertised.orElse(own));
  }
}
