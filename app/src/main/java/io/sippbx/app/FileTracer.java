package io.sippbx.app;

import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.MessageTracer;
import io.sippbx.shared.telemetry.SipTraceFile;
import java.time.Instant;

/** Writes what goes over the wire to the trace file. */
final class FileTracer implements MessageTracer {

  private final SipTraceFile file;

  FileTracer(SipTraceFile file) {
    this.file = file;
  }

  @Override
  public void received(byte[] octets, Flow flow, Instant at) {
    file.message(
        at,
        SipTraceFile.Direction.RECEIVED,
        flow.protocol().name(),
        flow.local(),
        flow.remote(),
        octets);
  }

  @Override
  public void sent(byte[] octets, Flow flow, Instant at) {
    file.message(
        at,
        SipTraceFile.Direction.SENT,
        flow.protocol().name(),
        flow.local(),
        flow.remote(),
        octets);
  }
}
