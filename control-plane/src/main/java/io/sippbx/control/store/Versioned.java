package io.sippbx.control.store;

/**
 * A record as it stood when it was read.
 *
 * @param version from 1, plus one for each commit; 0 stands for "no record yet"
 * @param commit the id of the commit that wrote it
 */
public record Versioned<R>(long version, CommitId commit, R record) {}
