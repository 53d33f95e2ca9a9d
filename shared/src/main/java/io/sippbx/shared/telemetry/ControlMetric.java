package io.sippbx.shared.telemetry;

import static io.sippbx.shared.telemetry.Metric.Spec.counter;
import static io.sippbx.shared.telemetry.Metric.Spec.counterAsNamed;
import static io.sippbx.shared.telemetry.Metric.Spec.gauge;
import static io.sippbx.shared.telemetry.Metric.Spec.histogram;

import java.util.List;

/** The metrics of a control plane node. */
public enum ControlMetric implements Metric {
  ACTIVE_CALLS(gauge("sip_active_calls", "calls", "Calls of this node that have not ended.")),
  TOTAL_CALLS(
      counterAsNamed(
          "sip_total_calls", "calls", "Calls that this node has taken since its start.")),
  CALLS_ENDED(
      counter(
          "sip_calls_ended_total",
          "calls",
          "Calls that have ended, by their result.",
          Label.of("result", "completed", "cancelled", "busy", "no_answer", "rejected", "failed"))),
  CALLS_REFUSED(
      counter(
          "sip_calls_refused_total",
          "calls",
          "INVITEs refused by a limit with 503, before there was a call.",
          Label.of(
              "limit",
              "calls",
              "cluster",
              "arrivals",
              "transactions",
              "store",
              "outbox",
              "mailbox"))),
  CLUSTER_CALLS(
      gauge(
          "sip_cluster_calls",
          "calls",
          "Calls of all nodes that sip.max_cluster_calls counted when this node asked last; 0"
              + " without that limit.")),
  CLUSTER_LEASES_LEFT(
      counter(
          "sip_cluster_leases_left_total",
          "leases",
          "Leases of sip.max_cluster_calls that could not be given back as Redis did not answer,"
              + " and end by themselves, within four hours.")),
  MESH_PEERS(
      gauge(
          "sip_mesh_peers",
          "nodes",
          "Other control nodes to which this one has a stream of the mesh now.")),
  MESH_MESSAGES(
      counter(
          "sip_mesh_messages_total",
          "messages",
          "SIP messages for other control nodes: what they took, what they refused, and what did not"
              + " reach them or had no answer, and why.",
          Label.of(
              "outcome",
              "taken",
              "refused",
              "unreachable",
              "no_answer",
              "over_limit",
              "in_circles"))),
  MESH_RECEIVED(
      counter(
          "sip_mesh_received_total",
          "messages",
          "SIP messages that other control nodes gave to this one, and that it took.")),
  MESH_WAITING(
      gauge(
          "sip_mesh_waiting",
          "messages",
          "Messages that wait for other control nodes to take them.")),
  MESH_STREAMS(
      counter(
          "sip_mesh_streams_total",
          "streams",
          "Streams of the mesh that came up, that were up and broke, and that were ended as the other"
              + " did not prove to know cluster.secret.",
          Label.of("event", "opened", "lost", "unproved"))),
  MESH_UNREADABLE(
      counter(
          "sip_mesh_unreadable_total",
          "messages",
          "What other control nodes sent and this one could not read.")),
  CLUSTER_NODES(
      gauge(
          "sip_cluster_nodes",
          "nodes",
          "Control nodes that live, as this one sees it; itself among them.")),
  CLUSTER_DEAD(
      gauge(
          "sip_cluster_dead_members",
          "members",
          "Starts of control nodes that are gone and may yet have calls to be taken over.")),
  CLUSTER_PARTITIONS(
      gauge(
          "sip_cluster_partitions_kept",
          "partitions",
          "Partitions of 64 whose timers and lost calls this node looks after.")),
  CLUSTER_ALARM(
      gauge(
          "sip_cluster_alarm",
          "1",
          "1 while more than half of the nodes seem dead at once, so that none is taken over.")),
  CLUSTER_CALLS_TAKEN(
      counter(
          "sip_cluster_handed_calls_total",
          "calls",
          "Calls that changed hands: taken over from a node that is gone, let go to another that has them, frozen until read again, released at the end of this node.",
          Label.of("what", "taken_over", "let_go", "frozen", "released"))),
  CLUSTER_MESSAGES(
      counter(
          "sip_cluster_messages_total",
          "messages",
          "Messages of calls that another node has: handed over to it, held because it could not be reached, given up, gone in circles.",
          Label.of("what", "handed_over", "held", "held_in_vain", "in_circles"))),
  CLUSTER_MESSAGES_WAITING(
      gauge(
          "sip_cluster_messages_waiting",
          "messages",
          "Messages that wait until the owner of their call can be given them.")),
  CLUSTER_WITHHELD(
      counter(
          "sip_cluster_withheld_total",
          "messages",
          "What was not sent because this node could not know whether the call was still its own.")),
  CLUSTER_TIMERS(
      counter(
          "sip_cluster_timers_total",
          "timers",
          "Long timers that this node claimed for its partitions.")),
  CLUSTER_TAKE_OVERS_FAILED(
      counter(
          "sip_cluster_take_overs_failed_total",
          "calls",
          "Calls of dead nodes that could not be taken over at once; they come again.")),
  CLUSTER_EPOCHS_LOST(
      counter(
          "sip_cluster_epochs_lost_total",
          "partitions",
          "Partitions that had another keeper by the time this node asked for them.")),
  CALL_DURATION(
      histogram(
          "sip_call_duration_seconds",
          "seconds",
          "From answer to end, of calls that were answered.",
          List.of(1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0))),
  CALL_SETUP_DURATION(
      histogram(
          "sip_call_setup_duration_seconds",
          "seconds",
          "From the caller's INVITE to its first response but 100: what the caller waits for.",
          List.of(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.45, 1.0, 2.5, 5.0, 10.0, 30.0))),
  MESSAGES_RECEIVED(
      counter(
          "sip_messages_received_total",
          "messages",
          "SIP messages that were received and could be parsed.",
          Label.of("transport", "udp", "tcp"))),
  MESSAGES_SENT(
      counter(
          "sip_messages_sent_total",
          "messages",
          "SIP messages that were sent, repeats among them.",
          Label.of("transport", "udp", "tcp"))),
  MESSAGES_MALFORMED(
      counter(
          "sip_messages_malformed_total",
          "messages",
          "What was received and is no SIP message.",
          Label.of("transport", "udp", "tcp"))),
  MESSAGES_DROPPED(
      counter(
          "sip_messages_dropped_total",
          "messages",
          "SIP messages that were neither handled nor answered.",
          Label.of("reason", "too_long", "queue_full", "stray", "limit"))),
  KERNEL_DROPS(
      counter(
          "sip_kernel_drops_total",
          "datagrams",
          "Datagrams that the kernel dropped because a receive buffer was full: raise"
              + " sip.udp_receive_buffer_bytes and net.core.rmem_max.")),
  RETRANSMISSIONS(
      counter(
          "sip_retransmissions_total",
          "messages",
          "Messages of transactions that came or went again: loss on the way, or a slow end.",
          Label.of("direction", "in", "out"))),
  TRANSACTION_TIMEOUTS(
      counter(
          "sip_transaction_timeouts_total",
          "transactions",
          "Transactions that ended without an answer or without an ACK.")),
  SEND_FAILURES(
      counter(
          "sip_send_failures_total",
          "messages",
          "SIP messages that could not be sent.",
          Label.of(
              "reason",
              "no_listener",
              "unreachable",
              "connect_timeout",
              "connection_lost",
              "queue_full",
              "connection_limit",
              "too_large",
              "closed"))),
  CONNECTIONS(gauge("sip_connections", "connections", "Open connections in both directions.")),
  CONNECTIONS_REFUSED(
      counter(
          "sip_connections_refused_total",
          "connections",
          "Connections that were closed at once because of a limit.")),
  TRANSACTIONS(
      gauge(
          "sip_transactions",
          "transactions",
          "Open transactions.",
          Label.of("side", "client", "server"))),
  TRANSACTIONS_REFUSED(
      counter(
          "sip_transactions_refused_total",
          "transactions",
          "Requests that were refused because the table of transactions was full.")),
  REGISTERED_ADDRESSES(
      gauge("sip_registered_addresses", "addresses", "Addresses-of-record with a binding.")),
  REGISTRATIONS(
      counter(
          "sip_registrations_total",
          "requests",
          "REGISTER requests, by what became of them.",
          Label.of("outcome", "accepted", "challenged", "refused"))),
  AUTHENTICATION_FAILURES(
      counter(
          "sip_authentication_failures_total",
          "requests",
          "Requests with credentials that were wrong; stale nonces are not counted.")),
  REDIS_UP(
      gauge("sip_redis_up", "flag", "1 while Redis answers, else 0: alert on it. Not in memory.")),
  REDIS_COMMANDS(counter("sip_redis_commands_total", "commands", "Commands sent to Redis.")),
  REDIS_PENDING(
      gauge("sip_redis_pending", "commands", "Commands that wait for the answer of Redis.")),
  REDIS_FAILURES(
      counter(
          "sip_redis_failures_total",
          "commands",
          "Commands without an answer in time, answered with an error that says that Redis cannot"
              + " serve, or not sent (no connection, breaker open, too many pending).",
          Label.of("kind", "no_answer", "error", "not_sent"))),
  REDIS_RESTARTS(
      counter(
          "sip_redis_restarts_total",
          "starts",
          "How often the own Redis of a standalone has ended by itself and was started again.")),
  REDIS_BREAKERS_OPEN(
      gauge(
          "sip_redis_breakers_open",
          "breakers",
          "Breakers that keep commands from a Redis that has not answered: 0 or 1, and in a Redis"
              + " Cluster one for each partition.")),
  REDIS_BREAKER_OPENINGS(
      counter("sip_redis_breaker_openings_total", "openings", "How often a breaker has opened.")),
  REDIS_CONNECTS(counter("sip_redis_connects_total", "connections", "Connections made to Redis.")),
  REDIS_CONNECT_FAILURES(
      counter(
          "sip_redis_connect_failures_total",
          "attempts",
          "Attempts to connect to Redis that failed.")),
  REDIS_OTHER_SERVERS(
      counter(
          "sip_redis_other_servers_total",
          "changes",
          "How often another server answered than before: a fail-over, or a restart. What it has"
              + " lost is written back.")),
  REDIS_NOT_REPLICATED(
      counter(
          "sip_redis_not_replicated_total",
          "commits",
          "Commits that fewer than redis.wait_replicas replicas had within redis.wait_timeout_ms:"
              + " they count, and a fail-over may lose them.")),
  STORE_WRITTEN_BACK(
      counter(
          "sip_store_written_back_total",
          "calls",
          "Calls whose last commit was lost by a fail-over of Redis and written back by this"
              + " node.")),
  STORE_RECENT_CALLS(
      gauge(
          "sip_store_recent_calls",
          "calls",
          "Calls whose last commit is remembered, in case that a fail-over of Redis loses it.")),
  STORE_RECENT_FORGOTTEN(
      counter(
          "sip_store_recent_forgotten_total",
          "calls",
          "Calls that redis.recent_calls had no room for: a fail-over now may lose what they"
              + " committed last.")),
  OUTBOX_DEPTH(
      gauge(
          "sip_outbox_events",
          "events",
          "Events that are committed and not yet done with, those of other nodes among them.")),
  OUTBOX_HANDED(
      counter(
          "sip_outbox_handed_total",
          "events",
          "Events that this node has handed from outboxes to its consumers, repeats among them.")),
  KAFKA_PUBLISHED(
      counter("sip_kafka_published_total", "events", "Events that Kafka has acknowledged.")),
  KAFKA_FAILURES(
      counter(
          "sip_kafka_failures_total",
          "events",
          "Events that Kafka did not acknowledge; they are sent again.")),
  KAFKA_IN_HAND(
      gauge("sip_kafka_in_hand", "events", "Events that wait for Kafka to acknowledge them.")),
  KAFKA_REFUSED(
      counter(
          "sip_kafka_refused_total",
          "events",
          "Events for which too many others waited; they come again from the outbox.")),
  KAFKA_ALARM(
      gauge("sip_kafka_alarm", "flag", "1 while events cannot be sent, else 0: alert on it.")),
  OUTBOX_SET_ASIDE(
      counter(
          "sip_outbox_set_aside_total",
          "events",
          "Events that could not be read or made sense of and were put aside: see the log.")),
  OUTBOX_FULLEST(
      gauge(
          "sip_outbox_fullest_partition_events",
          "events",
          "Events in the fullest of the 64 outboxes: alert on it well below a 64th of"
              + " redis.max_outbox_events, from which on calls are refused.")),
  MEDIA_NODES(
      gauge(
          "sip_media_nodes",
          "nodes",
          "Media nodes as this node sees them.",
          Label.of("state", "healthy", "suspected", "lost"))),
  MEDIA_LEDGER(
      gauge(
          "sip_media_ledger",
          "items",
          "What media nodes hold against what the records say, of the calls that this node looks"
              + " after, as of the last comparison: sessions that nodes list and calls whose records"
              + " name them must become equal; orphans (sessions that no record names) and missing"
              + " (calls without their session) must become 0; pairs that the sessions take and"
              + " pairs that nodes say are lent, which only a node that looks after all calls can"
              + " compare.",
          Label.of(
              "kind",
              "sessions",
              "recorded",
              "orphans",
              "missing",
              "pairs_of_sessions",
              "pairs_in_use"))),
  MEDIA_CALLS_TOLD(
      counter(
          "sip_media_calls_told_total",
          "calls",
          "Calls that were told to leave a media node that is lost or drained (move), or that their"
              + " session is to come back (restore); those told again among them.",
          Label.of("what", "move", "restore"))),
  MEDIA_ORPHANS_RELEASED(
      counter(
          "sip_media_orphans_released_total",
          "sessions",
          "Sessions of media nodes that were released because no record names them.")),
  MAILBOX_HIGH_MARK(
      gauge("sip_mailbox_high_mark", "inputs", "The most inputs that have waited for one call.")),
  INTERNAL_ERRORS(
      counter(
          "sip_internal_errors_total",
          "calls",
          "Calls that were ended because of an error of our own. Each has an ERROR line in the"
              + " log."));

  @SuppressWarnings("ImmutableEnumChecker") // a record that copies its lists
  private final Spec spec;

  ControlMetric(Spec spec) {
    this.spec = spec;
  }

  @Override
  public Spec spec() {
    return spec;
  }
}
