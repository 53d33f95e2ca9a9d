package io.sippbx.control.store;

import io.sippbx.shared.identity.Member;
import java.util.Optional;

/**
 * A record as it stood when it was read.
 *
 * @param version from 1, plus one for each commit; 0 stands for "no record yet"
 * @param commit the id of the commit that wrote it
 * @param owner who has transactions of it open, as that commit said ({@link CallIndex#owner}); what
 *     is no call has none
 */
public record Versioned<R>(long version, CommitId commit, R record, Optional<Member> owner) {

  /** A record without an owner. */
  public Versioned(long version, CommitId commit, R record) {
    this(version, commit, record, Optional.empty());
  }
}
