package io.sippbx.shared.operations;

import io.grpc.stub.StreamObserver;
import io.sippbx.proto.admin.v1.AdminGrpc;
import io.sippbx.proto.admin.v1.GetStatsRequest;
import io.sippbx.proto.admin.v1.PortPool;
import io.sippbx.proto.admin.v1.Stats;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** The admin API over a source of numbers. */
final class AdminService extends AdminGrpc.AdminImplBase {

  private final StatsSource source;

  AdminService(StatsSource source) {
    this.source = source;
  }

  @Override
  public void getStats(GetStatsRequest request, StreamObserver<Stats> observer) {
    observer.onNext(message(source.stats()));
    observer.onCompleted();
  }

  private static Stats message(StatsSource.Stats stats) {
    long succeeded = stats.totalCalls() - stats.failedCalls();
    return Stats.newBuilder()
        .setActiveCalls(stats.activeCalls())
        .setTotalCalls(stats.totalCalls())
        .setFailedCalls(stats.failedCalls())
        .setSuccessRate(
            stats.totalCalls() == 0 ? 100 : rounded(percent(succeeded, stats.totalCalls()), 1))
        .setAverageCallDuration(rounded(stats.averageCallDuration().toMillis() / 1_000.0, 1))
        .setPortPool(
            PortPool.newBuilder()
                .setTotal(stats.ports())
                .setInUse(stats.portsInUse())
                .setUtilization(
                    stats.ports() == 0
                        ? 0
                        : rounded(percent(stats.portsInUse(), stats.ports()), 2)))
        .setUptimeSeconds(stats.uptime().toSeconds())
        .build();
  }

  private static double percent(long part, long whole) {
    return 100.0 * part / whole;
  }

  private static double rounded(double value, int decimals) {
    return BigDecimal.valueOf(value).setScale(decimals, RoundingMode.HALF_UP).doubleValue();
  }
}
