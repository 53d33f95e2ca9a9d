package io.sippbx.shared.telemetry;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Standard output or standard error. */
final class StreamOutput implements Output {

  private static final int BUFFER_BYTES = 65_536;

  private final OutputStream stream;

  StreamOutput(OutputStream stream) {
    this.stream = new BufferedOutputStream(stream, BUFFER_BYTES);
  }

  static StreamOutput standardOutput() {
    return new StreamOutput(new FileOutputStream(FileDescriptor.out));
  }

  static StreamOutput standardError() {
    return new StreamOutput(new FileOutputStream(FileDescriptor.err));
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    stream.write(bytes);
  }

  @Override
  public void flush() throws IOException {
    stream.flush();
  }

  @Override
  public void close() throws IOException {
    flush();
  }
}
