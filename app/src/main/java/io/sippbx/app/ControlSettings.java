package io.sippbx.app;

import io.sippbx.control.ControlNodeSettings;
import io.sippbx.control.ControlPlaneSettings;
import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.registrar.RegistrarLimits;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.auth.DigestAlgorithm;
import io.sippbx.control.sip.auth.User;
import io.sippbx.control.sip.message.SipLimits;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.control.sip.transport.TransportLimits;
import io.sippbx.control.sip.transport.TransportSettings;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.config.SipConfig;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the configuration means for a control node. */
final class ControlSettings {

  static final String SERVER_NAME = "sip-pbx";

  private static final int MAX_TARGETS = 10;
  private static final int MESSAGES_WAITING = 20_000;
  // INVITEs of one loop that wait for the registrations and for names to be found.
  private static final int ARRIVALS = 5_000;
  private static final int RESERVED_TRANSACTIONS = 5_000;
  // Room within which a request counts as too large for the path (RFC 3261 18.1.1).
  private static final int MTU_MARGIN_BYTES = 200;

  private ControlSettings() {}

  /**
   * @param clusterSecret see {@link ClusterSecret}
   * @param loops of the node, among which its limits are shared out
   */
  static ControlPlaneSettings of(
      Configuration config, Secret<byte[]> clusterSecret, Incarnation incarnation, int loops) {
    SipConfig sip = config.sip();
    var node =
        new ControlNodeSettings(
            clusterSecret,
            calls(config, incarnation),
            access(sip),
            new RegistrarSettings(
                sip.registrar().minExpires(),
                sip.registrar().defaultExpires(),
                sip.registrar().maxExpires(),
                sip.registrar().maxBindings()),
            ClusterSettings.DEFAULT,
            new ControlNodeSettings.Limits(
                sip.calls().maxConcurrent(),
                sip.calls().maxCluster(),
                MESSAGES_WAITING,
                ARRIVALS,
                sip.calls().retryAfter(),
                config.media().sessions().movesPerSecond(),
                CallLimits.DEFAULT,
                transactions(sip, loops),
                RegistrarLimits.DEFAULT.withFlowWait(sip.registrar().flowWait())));
    return new ControlPlaneSettings(
        node, transport(sip, new Member(config.cluster().nodeId(), incarnation)), Optional.empty());
  }

  private static CallSettings calls(Configuration config, Incarnation incarnation) {
    SipConfig sip = config.sip();
    return new CallSettings(
        config.cluster().nodeId(),
        incarnation,
        new TimerSettings(sip.timers().t1(), sip.timers().t2(), sip.timers().t4()),
        sip.calls().noAnswerTimeout(),
        sip.calls().maxDuration(),
        sip.calls().followRedirects(),
        MAX_TARGETS,
        config.media().rtpTimeout().orElse(Duration.ZERO),
        config.media().codecPriority(),
        SERVER_NAME);
  }

  private static TransportSettings transport(SipConfig sip, Member self) {
    var listeners = new ArrayList<Listener>();
    for (SipConfig.Listener each : sip.listeners()) {
      TransportProtocol protocol =
          switch (each.transport()) {
            case UDP -> TransportProtocol.UDP;
            case TCP -> TransportProtocol.TCP;
          };
      listeners.add(new Listener(protocol, each.bind(), each.advertised()));
    }
    return new TransportSettings(
        listeners,
        sip.addressMode() == SipConfig.AddressMode.SHARED,
        sip.wire().udpSockets(),
        sip.wire().udpReceiveBufferBytes(),
        sip.wire().mtuBytes() - MTU_MARGIN_BYTES,
        limits(sip),
        Optional.of(self));
  }

  private static TransportLimits limits(SipConfig sip) {
    TransportLimits.Tcp tcp = TransportLimits.Tcp.DEFAULT;
    SipLimits messages = SipLimits.DEFAULT;
    int maxBytes = sip.wire().maxMessageBytes();
    return TransportLimits.DEFAULT
        .withTcp(
            new TransportLimits.Tcp(
                sip.tcp().maxConnections(),
                sip.tcp().maxConnectionsPerIp(),
                sip.tcp().maxConnections(),
                sip.tcp().connectTimeout(),
                tcp.firstMessageTime(),
                sip.tcp().messageTimeout(),
                tcp.halfReadBytes(),
                sip.tcp().idleTimeout(),
                sip.tcp().sendBufferBytes(),
                tcp.queuedBytes(),
                tcp.stalledTime(),
                tcp.lingerTime()))
        .withMessages(
            new SipLimits(
                maxBytes,
                Math.min(maxBytes, messages.headerBytes()),
                messages.headerCount(),
                messages.viaDepth(),
                messages.listValues(),
                Math.min(maxBytes, messages.uriBytes()),
                maxBytes));
  }

  /** The node's limit shared out to its loops; kept longer than any call may ring. */
  private static TransactionLimits transactions(SipConfig sip, int loops) {
    int each = Math.max(1, sip.wire().maxTransactions() / loops);
    return new TransactionLimits(
        each,
        each,
        RESERVED_TRANSACTIONS,
        sip.calls().noAnswerTimeout().multipliedBy(MAX_TARGETS).plusMinutes(5));
  }

  private static ControlNodeSettings.Access access(SipConfig sip) {
    SipConfig.Authentication authentication = sip.authentication();
    AuthSettings defaults = AuthSettings.of(authentication.realm());
    var users = new ArrayList<User>();
    for (SipConfig.User user : authentication.users()) {
      users.add(
          switch (user.credential()) {
            case SipConfig.Credential.Password(Secret<String> password) ->
                User.withPassword(user.username(), password.value());
            case SipConfig.Credential.Hashes hashes ->
                User.withHa1(user.username(), hashes(hashes));
          });
    }
    String canonical = sip.domains().isEmpty() ? authentication.realm() : sip.domains().getFirst();
    return new ControlNodeSettings.Access(
        new AuthSettings(
            authentication.realm(),
            authentication.algorithms().stream().map(ControlSettings::algorithm).toList(),
            authentication.nonceAge(),
            defaults.noncesRemembered()),
        new ConfiguredUsers(authentication.realm(), users),
        new OwnDomains(ownNames(sip), canonical));
  }

  private static DigestAlgorithm algorithm(SipConfig.DigestAlgorithm algorithm) {
    return switch (algorithm) {
      case SHA_512_256 -> DigestAlgorithm.SHA_512_256;
      case SHA_256 -> DigestAlgorithm.SHA_256;
      case MD5 -> DigestAlgorithm.MD5;
    };
  }

  /** With domains configured, the addresses of the listeners are ours too. */
  private static List<String> ownNames(SipConfig sip) {
    if (sip.domains().isEmpty()) {
      return List.of();
    }
    var names = new ArrayList<>(sip.domains());
    for (SipConfig.Listener listener : sip.listeners()) {
      names.add(listener.bind().ip().uriText());
      listener.advertised().ifPresent(advertised -> names.add(advertised.ip().uriText()));
    }
    return names;
  }

  private static Map<DigestAlgorithm, String> hashes(SipConfig.Credential.Hashes hashes) {
    var ha1 = new EnumMap<DigestAlgorithm, String>(DigestAlgorithm.class);
    hashes.ha1Md5().ifPresent(hash -> ha1.put(DigestAlgorithm.MD5, hash.value()));
    hashes.ha1Sha256().ifPresent(hash -> ha1.put(DigestAlgorithm.SHA_256, hash.value()));
    return ha1;
  }
}
