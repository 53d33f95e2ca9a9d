package io.sippbx.control.call;

import io.sippbx.control.cluster.Roster;
import io.sippbx.control.cluster.SendLease;
import io.sippbx.control.mesh.Mesh;
import io.sippbx.shared.identity.Member;

/**
 * Whose calls are whose: who this node is, who else there is, until when it may send for what it
 * has, and the way to the others. Its parts may be used from any thread.
 *
 * @param self this start of this node, as the records name it
 */
public record Ownership(Member self, Roster roster, SendLease lease, Mesh mesh) {}
