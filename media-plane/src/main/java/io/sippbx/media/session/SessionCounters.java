package io.sippbx.media.session;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the sessions of a node have been through since its start.
 *
 * @param opened sessions that were opened
 * @param released sessions that were ended by a Release
 * @param expiredUnconfirmed sessions ended because no confirmation came
 * @param expiredOrphaned sessions ended because nobody knew them
 * @param broken sessions that the relay had lost: a fault of ours
 * @param bindFailures pairs that were set aside because another program held a port of theirs
 * @param tombstonesForgotten tombstones dropped early because the table was full
 * @param firstPackets first packets that were told
 * @param mediaTimeouts time-outs that were told, repetitions included
 * @param refusals Applies and Releases refused, by reason; each reason has an entry
 */
public record SessionCounters(
    long opened,
    long released,
    long expiredUnconfirmed,
    long expiredOrphaned,
    long broken,
    long bindFailures,
    long tombstonesForgotten,
    long firstPackets,
    long mediaTimeouts,
    Map<Answer.Refusal, Long> refusals) {

  /** Copies {@code refusals}, in the order of the reasons. */
  public SessionCounters {
    var copy = new EnumMap<Answer.Refusal, Long>(Answer.Refusal.class);
    for (Answer.Refusal refusal : Answer.Refusal.values()) {
      copy.put(refusal, refusals.getOrDefault(refusal, 0L));
    }
    refusals = Collections.unmodifiableMap(copy);
  }
}
