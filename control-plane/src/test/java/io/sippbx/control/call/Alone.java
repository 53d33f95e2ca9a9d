package io.sippbx.control.call;

import io.sippbx.control.cluster.LeaseSettings;
import io.sippbx.control.cluster.Roster;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.mesh.MeshAlone;
import io.sippbx.shared.identity.Member;
import java.time.Duration;

/** A node that has nobody beside it, and whose lease does not end. */
public final class Alone {

  private static final LeaseSettings FOR_EVER =
      new LeaseSettings(
          Duration.ofSeconds(1),
          Duration.ofDays(1_000),
          Duration.ofSeconds(1),
          Duration.ofSeconds(2));

  private Alone() {}

  /** Whose calls are its own. */
  public static Ownership ownership(Member self, Loop loop) {
    return new Ownership(self, new Roster(self), lease(loop), new MeshAlone(loop));
  }

  /** A lease that holds as long as a test lasts. */
  public static SendLease lease(Loop loop) {
    var lease = new SendLease(FOR_EVER);
    lease.acknowledged(loop.nowNs(), loop.now(), loop.nowNs(), loop.now());
    return lease;
  }
}
