package io.sippbx.control.sip.transport;

import java.io.IOException;
import java.util.List;

/** The node cannot receive where it is told to. The message names each listener and its cause. */
public final class ListenException extends IOException {

  private static final long serialVersionUID = 1L;

  private final transient List<String> problems;

  /** One line for each problem. */
  public ListenException(List<String> problems) {
    super(String.join("; ", problems));
    this.problems = List.copyOf(problems);
  }

  /** One line for each listener that failed: the listener, the address and the cause. */
  public List<String> problems() {
    return problems == null ? List.of() : problems;
  }
}
