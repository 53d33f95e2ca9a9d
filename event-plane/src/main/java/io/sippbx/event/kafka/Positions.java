package io.sippbx.event.kafka;

import java.io.IOException;
import java.util.Map;

/** Where it is remembered how far each partition has been consumed. */
public interface Positions {

  /**
   * By partition, the offset of the first event that is not done with.
   *
   * @param topicId of the topic as it is now: what is known of another one, that had its name, is
   *     worth nothing
   */
  Map<Integer, Long> load(String topicId) throws IOException;

  /** Remembers them; they survive a crash when this returns. */
  void store(String topicId, Map<Integer, Long> positions) throws IOException;
}
