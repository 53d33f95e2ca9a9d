package io.sippbx.control.cluster;

/** How a node takes part in the cluster. */
public record ClusterSettings(LeaseSettings lease, KeeperSettings keeper) {

  /** As {@link LeaseSettings#DEFAULT} and {@link KeeperSettings#DEFAULT}. */
  public static final ClusterSettings DEFAULT =
      new ClusterSettings(LeaseSettings.DEFAULT, KeeperSettings.DEFAULT);
}
