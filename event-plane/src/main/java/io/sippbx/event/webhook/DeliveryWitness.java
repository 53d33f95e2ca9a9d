package io.sippbx.event.webhook;

/** Who is told of each attempt. Any thread; returns at once. */
public interface DeliveryWitness {

  /** What became of one. */
  void told(Told told);

  /** What became of an attempt, or of an event at last. */
  enum What {
    DELIVERED,
    FAILED,
    REFUSED,
    DEAD_LETTER
  }

  /**
   * One line of what is known.
   *
   * @param attempt its number, from 1; 0: none was made
   * @param status of the answer; 0: none came
   * @param problem empty when there is none
   */
  record Told(
      String receiver,
      Webhook webhook,
      int attempt,
      What what,
      int status,
      String problem,
      long millis) {}
}
