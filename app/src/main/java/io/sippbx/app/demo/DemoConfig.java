package io.sippbx.app.demo;

import io.sippbx.control.sip.auth.DigestClient;
import io.sippbx.media.port.PortRange;
import io.sippbx.shared.config.Assignment;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The configuration of the node that is shown: what a user would write for one on loopback. */
final class DemoConfig {

  /** The domain of the two users; nobody looks it up. */
  static final String DOMAIN = "pbx.demo";

  /** Where the log goes, within the folder of the demo. */
  static final String LOG = "sip-pbx.log";

  /** Where the CDRs go. */
  static final String CDR = "cdr";

  private DemoConfig() {}

  /**
   * The configuration. The environment has no say in it, so that the demo shows the same
   * everywhere.
   *
   * @param folder for all files
   * @throws DemoFailure if it is refused, with the reasons
   */
  static Configuration load(
      DemoSettings settings, Path folder, FreePorts.Found ports, List<DigestClient.Login> users)
      throws DemoFailure {
    var values = new ArrayList<Assignment>();
    String ip = settings.ip().toString();
    set(values, "sip.listen_ip", settings.v6() ? "" : ip);
    set(values, "sip.listen_ipv6", settings.v6() ? ip : "");
    set(values, "sip.listen_port", "0");
    set(values, "sip.transport", "udp,tcp");
    set(values, "sip.domains", DOMAIN);
    set(values, "sip.realm", DOMAIN);
    set(values, "sip.users", entries(users));
    set(values, "media.bind_ip", settings.v6() ? "" : ip);
    set(values, "media.bind_ipv6", settings.v6() ? ip : "");
    PortRange range = ports.range();
    set(values, "media.port_pool.start", Integer.toString(range.first()));
    set(values, "media.port_pool.end", Integer.toString(range.last()));
    set(values, "media.allow_ephemeral_overlap", Boolean.toString(ports.overlaps()));
    set(values, "media.codec_priority", "pcmu");
    set(values, "cdr.output_dir", folder.resolve(CDR).toString());
    set(values, "logging.output", folder.resolve(LOG).toString());
    set(values, "logging.format", "text");
    set(values, "monitoring.bind_ip", ip);
    set(values, "monitoring.health_check_port", "0");
    set(values, "monitoring.prometheus_port", "0");
    set(values, "standalone.data_dir", folder.toString());
    if (!settings.redis()) {
      // Its calls need not outlive it, and it has no need of another process.
      set(values, "redis.mode", "memory");
    }
    set(values, "cluster.node_id", "demo");
    return switch (ConfigLoader.load(Role.STANDALONE, Optional.empty(), Map.of(), values)) {
      case ConfigResult.Loaded loaded -> loaded.configuration();
      case ConfigResult.Refused refused -> throw new DemoFailure(refused.report());
    };
  }

  private static void set(List<Assignment> values, String key, String value) {
    values.add(new Assignment(key, value, "demo"));
  }

  private static String entries(List<DigestClient.Login> users) {
    var entries = new ArrayList<String>();
    for (DigestClient.Login user : users) {
      entries.add("{username: " + user.username() + ", password: \"" + user.password() + "\"}");
    }
    return "[" + String.join(", ", entries) + "]";
  }
}
