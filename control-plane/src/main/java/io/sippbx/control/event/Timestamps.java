package io.sippbx.control.event;

import com.google.protobuf.Timestamp;
import java.time.Instant;

/** Moments as they are published. */
final class Timestamps {

  private Timestamps() {}

  static Timestamp of(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }
}
