package io.sippbx.event.webhook;

import java.util.function.Consumer;

/** Where what could not be delivered is kept until somebody has it delivered again. Any thread. */
public interface DeadLetters {

  /**
   * Keeps one, or what became of it since.
   *
   * @param answer is told once whether it survives a crash now, on any thread, inline or after
   *     {@link #flush}
   */
  void keep(DeadLetter letter, Consumer<Boolean> answer);

  /** Makes what was given last: waits for a disk, not for a network. */
  void flush();
}
