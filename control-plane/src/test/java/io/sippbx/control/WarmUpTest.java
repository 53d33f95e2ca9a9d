package io.sippbx.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.registrar.RegistrarLimits;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.auth.User;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class WarmUpTest {

  private static final int CALLS_MEASURED = 50;
  private static final long MOST_ALLOCATED = 500_000;

  @Test
  void makesWholeCallsOneAfterTheOther() {
    var warmUp = new WarmUp(settings(100));
    for (int i = 0; i < 5; i++) {
      assertThat(warmUp.call()).as("call %d", i).isTrue();
    }
  }

  /**
   * Of what each call costs this varies least: it grows with what is done and with nothing else.
   */
  @Test
  void allocatesNoMoreThanItDid() {
    var warmUp = new WarmUp(settings(100));
    for (int i = 0; i < 200; i++) {
      warmUp.call();
    }
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < CALLS_MEASURED; i++) {
      warmUp.call();
    }
    long each = (threads.getCurrentThreadAllocatedBytes() - before) / CALLS_MEASURED;
    assertThat(each).as("octets allocated by a whole call").isLessThan(MOST_ALLOCATED);
  }

  @Test
  void needsRoomForOneCallOnly() {
    var warmUp = new WarmUp(settings(1));
    for (int i = 0; i < 3; i++) {
      assertThat(warmUp.call()).as("call %d", i).isTrue();
    }
  }

  private static ControlNodeSettings settings(int calls) {
    return new ControlNodeSettings(
        new Secret<>(new byte[32]),
        new CallSettings(
            new NodeId("control-1"),
            new Incarnation(1),
            TimerSettings.RFC_3261,
            Duration.ofSeconds(60),
            Duration.ZERO,
            true,
            10,
            Duration.ofSeconds(60),
            List.of("pcma"),
            "sip-pbx"),
        new ControlNodeSettings.Access(
            AuthSettings.of("example.com"),
            new ConfiguredUsers(
                "example.com", List.of(User.withPassword("alice", "only she may call"))),
            new OwnDomains(List.of("example.com"), "example.com")),
        RegistrarSettings.DEFAULT,
        ClusterSettings.DEFAULT,
        new ControlNodeSettings.Limits(
            calls,
            0,
            100,
            100,
            Duration.ofSeconds(10),
            10,
            CallLimits.DEFAULT,
            TransactionLimits.DEFAULT,
            RegistrarLimits.DEFAULT));
  }
}
