package io.sippbx.benchmarks.phone;

import java.util.function.Consumer;

/** The way between one phone and the edge. Loop only. */
interface Line {

  /** Sends a request, or a response for which there is no better way. */
  void send(byte[] message);

  /** Transport and sent-by of our Via. */
  String via();

  /** Host and port of our Contact, with the transport where it needs to be named. */
  String contact();

  /** Whether the transport repeats what is lost. */
  boolean isReliable();

  /** How often the connection to the edge has broken. */
  int breaks();

  /** Who hears what comes in. */
  interface Listener {
    void heard(SipText message, Consumer<byte[]> back);

    /** A connection that was broken is there again. */
    void connected();
  }

  void close();
}
