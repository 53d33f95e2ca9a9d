package io.sippbx.shared.telemetry;

import java.io.IOException;

/** Where bytes go in the end. Used by one thread. */
interface Output {

  /** Takes a whole line or message, of which the bytes are not kept. */
  void write(byte[] bytes) throws IOException;

  /** Hands everything to the operating system. */
  void flush() throws IOException;

  /** Flushes and closes; standard streams stay open. */
  void close() throws IOException;
}
