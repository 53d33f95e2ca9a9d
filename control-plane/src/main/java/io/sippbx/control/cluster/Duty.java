package io.sippbx.control.cluster;

import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Member;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a keeper does in one partition under one epoch. On the loop of the rounds. */
final class Duty {
  private final Partition partition;
  private final long epoch;
  private final SortedMap<Member, Sweep> sweeps = new TreeMap<>();
  private long nextClaimNs;
  private boolean claiming;
  private boolean confirmed;

  Duty(Partition partition, long epoch, long nowNs) {
    this.partition = partition;
    this.epoch = epoch;
    this.nextClaimNs = nowNs;
  }

  Partition partition() {
    return partition;
  }

  long epoch() {
    return epoch;
  }

  boolean isClaimDue(long nowNs) {
    return !claiming && nowNs - nextClaimNs >= 0;
  }

  /** When it is to claim; nothing before the answer while it does. */
  long nextClaimNs() {
    return claiming ? Long.MAX_VALUE : nextClaimNs;
  }

  void claiming() {
    claiming = true;
  }

  /** The store has said that the epoch holds. */
  void claimed(long nextNs) {
    claiming = false;
    confirmed = true;
    nextClaimNs = nextNs;
  }

  /** The store has not answered. */
  void claimFailed(long nextNs) {
    claiming = false;
    confirmed = false;
    nextClaimNs = nextNs;
  }

  /** Whether the store has said that the epoch holds, since this node looked last. */
  boolean isConfirmed() {
    return confirmed;
  }

  Sweep sweep(Member dead, long nowNs) {
    return sweeps.computeIfAbsent(dead, each -> new Sweep(nowNs));
  }

  boolean isClean(Member dead) {
    Sweep sweep = sweeps.get(dead);
    return sweep != null && sweep.isClean();
  }

  /** Who is not dead any more is swept from the start when it is again. */
  void retain(List<Member> dead) {
    sweeps.keySet().retainAll(dead);
  }
}
