package io.sippbx.control.store.redis;

import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.stream.IntStream;

/** The names of keys; those of one partition share its hash tag and so a slot of a cluster. */
final class Keys {

  static final byte[] CLUSTER_META = Bytes.of("cluster:meta");

  static final byte[] MEMBERS = Bytes.of("{cluster}:members");
  static final String NODE_PREFIX = "{cluster}:node:";
  static final String LEFT_PREFIX = "{cluster}:left:";

  private static final List<OfPartition> PARTITIONS =
      IntStream.range(0, Partition.COUNT).mapToObj(i -> new OfPartition(new Partition(i))).toList();

  private Keys() {}

  /** What every commit of a call in a partition names. Nobody may write to the arrays. */
  static final class OfPartition {
    final byte[] outbox;
    final byte[] timers;
    final byte[] keeper;
    final byte[] calls;
    final byte[] inFlightPrefix;
    final byte[] onMediaPrefix;
    private final String callPrefix;

    private OfPartition(Partition partition) {
      callPrefix = Keys.callPrefix(partition);
      outbox = Keys.outbox(partition);
      timers = Keys.timers(partition);
      keeper = Keys.keeper(partition);
      calls = Keys.calls(partition);
      inFlightPrefix = Bytes.of(Keys.inFlightPrefix(partition));
      onMediaPrefix = Bytes.of(Keys.onMediaPrefix(partition));
    }

    byte[] call(CallKey call) {
      return Bytes.of(callPrefix + call.text());
    }
  }

  /** Made once: digits and letters are not put together anew for each commit. */
  static OfPartition of(Partition partition) {
    return PARTITIONS.get(partition.number());
  }

  static byte[] node(NodeId node) {
    return Bytes.of(NODE_PREFIX + node);
  }

  static byte[] left(Member member) {
    return Bytes.of(LEFT_PREFIX + member);
  }

  static byte[] swept(Member member) {
    return Bytes.of("{cluster}:swept:" + member);
  }

  static String callPrefix(Partition partition) {
    return partition.tag() + ":call:";
  }

  static byte[] call(CallKey call) {
    return of(Partition.of(call)).call(call);
  }

  static byte[] outbox(Partition partition) {
    return Bytes.of(partition.tag() + ":outbox");
  }

  static byte[] outboxAside(Partition partition) {
    return Bytes.of(partition.tag() + ":outbox-aside");
  }

  static byte[] calls(Partition partition) {
    return Bytes.of(partition.tag() + ":calls");
  }

  static byte[] timers(Partition partition) {
    return Bytes.of(partition.tag() + ":timers");
  }

  static byte[] keeper(Partition partition) {
    return Bytes.of(partition.tag() + ":keeper");
  }

  static String inFlightPrefix(Partition partition) {
    return partition.tag() + ":inflight:";
  }

  static byte[] inFlight(Partition partition, NodeId node) {
    return Bytes.of(inFlightPrefix(partition) + node);
  }

  static String onMediaPrefix(Partition partition) {
    return partition.tag() + ":on-media:";
  }

  static byte[] onMedia(Partition partition, NodeId node) {
    return Bytes.of(onMediaPrefix(partition) + node);
  }

  static byte[] registration(Aor aor) {
    return Bytes.of(Partition.of(aor).tag() + ":reg:" + aor);
  }

  static byte[] registrationNames(Partition partition) {
    return Bytes.of(partition.tag() + ":reg-names");
  }

  static byte[] registrationEnds(Partition partition) {
    return Bytes.of(partition.tag() + ":reg-ends");
  }

  static byte[] registrationDue(Partition partition) {
    return Bytes.of(partition.tag() + ":reg-due");
  }

  static byte[] registrationBindings(Partition partition) {
    return Bytes.of(partition.tag() + ":reg-bindings");
  }

  static byte[] registrationTotals(Partition partition) {
    return Bytes.of(partition.tag() + ":reg-totals");
  }

  static byte[] limit(String name) {
    return Bytes.of("limit:{" + name + "}");
  }
}
