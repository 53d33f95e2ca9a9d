package io.sippbx.benchmarks;

import io.sippbx.control.ControlNodeSettings;
import io.sippbx.control.WarmUp;
import io.sippbx.control.call.CallLimits;
import io.sippbx.control.call.CallSettings;
import io.sippbx.control.cluster.ClusterSettings;
import io.sippbx.control.registrar.RegistrarLimits;
import io.sippbx.control.registrar.binding.OwnDomains;
import io.sippbx.control.registrar.binding.RegistrarSettings;
import io.sippbx.control.sip.auth.AuthSettings;
import io.sippbx.control.sip.auth.ConfiguredUsers;
import io.sippbx.control.sip.transaction.TimerSettings;
import io.sippbx.control.sip.transaction.TransactionLimits;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A whole call without a socket: what the phones send is parsed, transactions, decisions, six
 * commits whose records are written down and read back, and all that is sent; on virtual time and
 * with a store in memory. {@code -prof gc} tells what it allocates.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class CallBenchmark {

  private static final int ONE = 1;
  private static final int TEN = 10;
  private static final int HUNDRED = 100;
  private static final int SECRET_OCTETS = 32;
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final String DOMAIN = "example.com";

  private final WarmUp node = new WarmUp(settings());

  private static ControlNodeSettings settings() {
    return new ControlNodeSettings(
        new Secret<>(new byte[SECRET_OCTETS]),
        new CallSettings(
            new NodeId("control-1"),
            new Incarnation(ONE),
            TimerSettings.RFC_3261,
            MINUTE,
            Duration.ZERO,
            true,
            TEN,
            MINUTE,
            List.of(),
            "sip-pbx"),
        new ControlNodeSettings.Access(
            AuthSettings.of(DOMAIN),
            new ConfiguredUsers(DOMAIN, List.of()),
            new OwnDomains(List.of(DOMAIN), DOMAIN)),
        RegistrarSettings.DEFAULT,
        ClusterSettings.DEFAULT,
        new ControlNodeSettings.Limits(
            HUNDRED,
            0,
            HUNDRED,
            HUNDRED,
            Duration.ofSeconds(TEN),
            TEN,
            CallLimits.DEFAULT,
            TransactionLimits.DEFAULT,
            RegistrarLimits.DEFAULT));
  }

  /** From the INVITE to the answer of the BYE. */
  @Benchmark
  public boolean wholeCall() {
    if (!node.call()) {
      throw new IllegalStateException("Expected a call that comes to its end, but it did not");
    }
    return true;
  }
}
