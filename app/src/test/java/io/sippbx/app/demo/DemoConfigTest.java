package io.sippbx.app.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sippbx.control.sip.auth.DigestClient;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.media.port.PortRange;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.RedisConfig;
import io.sippbx.shared.config.SipConfig;
import io.sippbx.shared.net.Endpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoConfigTest {

  private static final Path FOLDER = Path.of("/tmp/a folder");
  private static final FreePorts.Found PORTS =
      new FreePorts.Found(new PortRange(12_000, 12_031), true);

  private static Configuration load(boolean v6) throws DemoFailure {
    return load(v6, false);
  }

  private static Configuration load(boolean v6, boolean redis) throws DemoFailure {
    return DemoConfig.load(
        new DemoSettings(3, TransportProtocol.UDP, v6, false, redis),
        FOLDER,
        PORTS,
        // A password that YAML would take for a number if it stood there without quotes.
        List.of(new DigestClient.Login("alice", "12e5"), new DigestClient.Login("bob", "0x17")));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void isOnLoopbackOnly(boolean v6) throws Exception {
    Configuration config = load(v6);
    Endpoint any = Endpoint.of(v6 ? "::1" : "127.0.0.1", 0);
    assertThat(config.sip().listeners())
        .containsExactly(
            new SipConfig.Listener(SipConfig.Transport.UDP, any, Optional.empty()),
            new SipConfig.Listener(SipConfig.Transport.TCP, any, Optional.empty()));
    assertThat(v6 ? config.media().addresses().bindV6() : config.media().addresses().bind())
        .contains(any.ip());
    assertThat(v6 ? config.media().addresses().bind() : config.media().addresses().bindV6())
        .isEmpty();
    assertThat(config.monitoring().bindIp()).isEqualTo(any.ip());
    assertThat(config.monitoring().healthCheckPort()).isZero();
    assertThat(config.monitoring().prometheusPort()).isZero();
  }

  @Test
  void keepsItsStateInRedisWhereThatIsWanted() throws Exception {
    assertThat(load(false).redis().mode()).isEqualTo(RedisConfig.Mode.MEMORY);
    assertThat(load(false, true).redis().mode()).isEqualTo(RedisConfig.Mode.AUTO);
  }

  @Test
  void keepsAllFilesInItsFolder() throws Exception {
    Configuration config = load(false);
    assertThat(config.cdr().outputDir()).isEqualTo(FOLDER.resolve("cdr"));
    assertThat(Path.of(config.logging().output())).isEqualTo(FOLDER.resolve("sip-pbx.log"));
    assertThat(config.standalone().dataDir()).isEqualTo(FOLDER);
  }

  @Test
  void knowsTheUsersAndThePorts() throws Exception {
    Configuration config = load(false);
    assertThat(config.sip().authentication().users())
        .extracting(SipConfig.User::username)
        .containsExactly("alice", "bob");
    assertThat(config.sip().authentication().users())
        .extracting(user -> ((SipConfig.Credential.Password) user.credential()).value().value())
        .containsExactly("12e5", "0x17");
    assertThat(config.media().portPool().start()).isEqualTo(12_000);
    assertThat(config.media().portPool().end()).isEqualTo(12_031);
    assertThat(config.media().portPool().allowEphemeralOverlap()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 61})
  void talksNoShorterOrLongerThanOffered(int seconds) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DemoSettings(seconds, TransportProtocol.TCP, false, false, false))
        .withMessage("Expected 1 to 60 seconds, but got " + seconds);
  }
}
