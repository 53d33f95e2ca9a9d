package io.sippbx.app;

import io.sippbx.control.ControlPlane;
import io.sippbx.control.call.RoutingCounters;
import io.sippbx.control.cluster.MediaLedger;
import io.sippbx.control.cluster.MediaRounds;
import io.sippbx.control.cluster.Participation;
import io.sippbx.control.edge.Edge;
import io.sippbx.control.media.GrpcMediaPlane;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transaction.TransactionCounts;
import io.sippbx.control.sip.transport.SendFailure;
import io.sippbx.control.sip.transport.TransportCounters;
import io.sippbx.shared.telemetry.ControlMetric;
import io.sippbx.shared.telemetry.Metrics;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/** What a control node counts, as metrics. */
final class ControlPlaneMetricsBinding {

  private ControlPlaneMetricsBinding() {}

  static void bind(Metrics metrics, ControlPlane control, GrpcMediaPlane media) {
    metrics.gauge(ControlMetric.ACTIVE_CALLS, control::activeCalls);
    metrics.counter(
        ControlMetric.CALLS_REFUSED, () -> control.counters().overCallLimit.sum(), "calls");
    metrics.counter(
        ControlMetric.CALLS_REFUSED, () -> control.counters().overClusterLimit.sum(), "cluster");
    metrics.gauge(ControlMetric.CLUSTER_CALLS, () -> control.node().leases().held());
    metrics.counter(ControlMetric.CLUSTER_LEASES_LEFT, () -> control.node().leases().leftToEnd());
    metrics.counter(
        ControlMetric.CALLS_REFUSED, () -> control.counters().overArrivalLimit.sum(), "arrivals");
    TransportCounters transport = control.transport().counters();
    for (TransportProtocol protocol : List.of(TransportProtocol.UDP, TransportProtocol.TCP)) {
      String label = protocol.name().toLowerCase(Locale.ROOT);
      metrics.counter(ControlMetric.MESSAGES_RECEIVED, () -> transport.received(protocol), label);
      metrics.counter(ControlMetric.MESSAGES_SENT, () -> transport.sent(protocol), label);
      metrics.counter(ControlMetric.MESSAGES_MALFORMED, () -> transport.malformed(protocol), label);
    }
    metrics.counter(
        ControlMetric.MESSAGES_DROPPED, () -> control.counters().overloaded.sum(), "queue_full");
    metrics.counter(ControlMetric.MESSAGES_DROPPED, () -> control.counters().stray.sum(), "stray");
    for (SendFailure.Reason reason : SendFailure.Reason.values()) {
      metrics.counter(
          ControlMetric.SEND_FAILURES,
          () -> transport.failures(reason),
          reason.name().toLowerCase(Locale.ROOT));
    }
    metrics.gauge(
        ControlMetric.CONNECTIONS,
        () -> transport.acceptedConnections() + transport.openedConnections());
    transactions(metrics, control);
    cluster(metrics, control);
    metrics.gauge(ControlMetric.REGISTERED_ADDRESSES, control::registeredAddresses);
    metrics.gauge(ControlMetric.MEDIA_NODES, () -> media.stats().healthy(), "healthy");
    metrics.gauge(ControlMetric.MEDIA_NODES, () -> media.stats().suspected(), "suspected");
    metrics.gauge(ControlMetric.MEDIA_NODES, () -> media.stats().lost(), "lost");
    mediaRounds(metrics, control.node().mediaRounds());
  }

  private static void mediaRounds(Metrics metrics, MediaRounds rounds) {
    ledger(metrics, rounds, "sessions", MediaLedger::sessions);
    ledger(metrics, rounds, "recorded", MediaLedger::recorded);
    ledger(metrics, rounds, "orphans", MediaLedger::orphans);
    ledger(metrics, rounds, "missing", MediaLedger::missing);
    ledger(metrics, rounds, "pairs_of_sessions", MediaLedger::pairsOfSessions);
    ledger(metrics, rounds, "pairs_in_use", MediaLedger::pairsInUse);
    metrics.counter(ControlMetric.MEDIA_CALLS_TOLD, () -> rounds.counts().moved(), "move");
    metrics.counter(ControlMetric.MEDIA_CALLS_TOLD, () -> rounds.counts().restored(), "restore");
    metrics.counter(ControlMetric.MEDIA_ORPHANS_RELEASED, () -> rounds.counts().orphansReleased());
  }

  private static void ledger(
      Metrics metrics, MediaRounds rounds, String kind, ToLongFunction<MediaLedger> figure) {
    metrics.gauge(
        ControlMetric.MEDIA_LEDGER, () -> rounds.ledger().stream().mapToLong(figure).sum(), kind);
  }

  private static void cluster(Metrics metrics, ControlPlane control) {
    RoutingCounters routing = control.node().routing();
    metrics.gauge(ControlMetric.CLUSTER_NODES, () -> figures(control).living());
    metrics.gauge(ControlMetric.CLUSTER_DEAD, () -> figures(control).dead());
    metrics.gauge(ControlMetric.CLUSTER_PARTITIONS, () -> figures(control).kept());
    metrics.gauge(ControlMetric.CLUSTER_ALARM, () -> figures(control).alarm() ? 1 : 0);
    metrics.counter(ControlMetric.CLUSTER_CALLS_TAKEN, routing.takenOver::sum, "taken_over");
    metrics.counter(ControlMetric.CLUSTER_CALLS_TAKEN, routing.letGo::sum, "let_go");
    metrics.counter(ControlMetric.CLUSTER_CALLS_TAKEN, routing.frozen::sum, "frozen");
    metrics.counter(ControlMetric.CLUSTER_CALLS_TAKEN, routing.released::sum, "released");
    metrics.counter(ControlMetric.CLUSTER_MESSAGES, routing.handedOver::sum, "handed_over");
    metrics.counter(ControlMetric.CLUSTER_MESSAGES, routing.held::sum, "held");
    metrics.counter(ControlMetric.CLUSTER_MESSAGES, routing.heldInVain::sum, "held_in_vain");
    metrics.counter(ControlMetric.CLUSTER_MESSAGES, routing.inCircles::sum, "in_circles");
    metrics.gauge(ControlMetric.CLUSTER_MESSAGES_WAITING, routing.waiting::sum);
    metrics.counter(ControlMetric.CLUSTER_WITHHELD, () -> withheld(control));
    metrics.counter(
        ControlMetric.CLUSTER_TIMERS, () -> control.node().cluster().counts().claimedTimers());
    metrics.counter(
        ControlMetric.CLUSTER_TAKE_OVERS_FAILED, () -> control.node().cluster().counts().failed());
    metrics.counter(
        ControlMetric.CLUSTER_EPOCHS_LOST, () -> control.node().cluster().counts().epochsLost());
  }

  private static Participation.Figures figures(ControlPlane control) {
    return control.node().cluster().figures();
  }

  private static long withheld(ControlPlane control) {
    long sum = 0;
    for (Edge edge : control.edges()) {
      sum += edge.calls().sending().withheld();
    }
    return sum;
  }

  private static void transactions(Metrics metrics, ControlPlane control) {
    metrics.gauge(
        ControlMetric.TRANSACTIONS,
        () -> sum(control, c -> c.live().inviteClient() + c.live().nonInviteClient()),
        "client");
    metrics.gauge(
        ControlMetric.TRANSACTIONS,
        () -> sum(control, c -> c.live().inviteServer() + c.live().nonInviteServer()),
        "server");
    metrics.counter(
        ControlMetric.TRANSACTIONS_REFUSED, () -> sum(control, TransactionCounts::refusedRequests));
  }

  private static long sum(ControlPlane control, ToLongFunction<TransactionCounts> figure) {
    long sum = 0;
    for (Edge edge : control.edges()) {
      sum += figure.applyAsLong(edge.transactions().counts());
    }
    return sum;
  }
}
