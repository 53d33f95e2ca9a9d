package io.sippbx.control.admin;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;

/** The errors of the admin API. Each names the field and its value. */
final class AdminErrors {

  private static final int MAX_SHOWN = 100;

  private AdminErrors() {}

  /** Runs what takes a request apart; what it refuses is the answer. */
  static void orRefuse(StreamObserver<?> observer, Runnable task) {
    try {
      task.run();
    } catch (StatusRuntimeException e) {
      observer.onError(e);
    }
  }

  /** A field is not what it must be. */
  static StatusRuntimeException invalid(String field, String value, String expected) {
    return of(Status.INVALID_ARGUMENT, field, value, "expected " + expected);
  }

  /** What a field names is not there. */
  static StatusRuntimeException notFound(String field, String value, String what) {
    return of(Status.NOT_FOUND, field, value, what);
  }

  /** It cannot be done as things are. */
  static StatusRuntimeException notNow(String field, String value, String why) {
    return of(Status.FAILED_PRECONDITION, field, value, why);
  }

  /** Something that is needed does not answer. */
  static StatusRuntimeException unavailable(String detail) {
    return Status.UNAVAILABLE.withDescription(detail + ": try again").asRuntimeException();
  }

  private static StatusRuntimeException of(Status status, String field, String value, String what) {
    String shown = value.length() > MAX_SHOWN ? value.substring(0, MAX_SHOWN) + "..." : value;
    return status.withDescription(field + " = " + shown + ": " + what).asRuntimeException();
  }
}
