package io.sippbx.media.control;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where errors become statuses: a {@link MediaControlException} tells its own; anything else is a
 * fault of ours, which is logged, counted and told as INTERNAL without its inside.
 */
final class ErrorInterceptor implements ServerInterceptor {

  private static final Logger log = LoggerFactory.getLogger(ErrorInterceptor.class);
  private static final Status FAULT =
      Status.INTERNAL.withDescription("The node failed on this request");

  private final LongAdder faults = new LongAdder();

  /** Faults of ours since the start. */
  long faults() {
    return faults.sum();
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    var mapped = new MappedCall<>(call);
    ServerCall.Listener<Q> listener;
    try {
      listener = next.startCall(mapped, headers);
    } catch (RuntimeException e) {
      mapped.fail(e);
      return new ServerCall.Listener<>() {};
    }
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        guarded(() -> super.onMessage(message));
      }

      @Override
      public void onHalfClose() {
        guarded(super::onHalfClose);
      }

      @Override
      public void onReady() {
        guarded(super::onReady);
      }

      private void guarded(Runnable step) {
        try {
          step.run();
        } catch (RuntimeException e) {
          mapped.fail(e);
        }
      }
    };
  }

  private Status statusOf(Throwable error) {
    if (error instanceof MediaControlException expected) {
      return expected.status();
    }
    faults.increment();
    log.atError().setCause(error).log("media.control.fault");
    return FAULT;
  }

  /** A call that is closed once, and whose status tells what the cause is. */
  private final class MappedCall<Q, A> extends SimpleForwardingServerCall<Q, A> {
    private boolean closed;

    MappedCall(ServerCall<Q, A> call) {
      super(call);
    }

    void fail(RuntimeException error) {
      close(statusOf(error), new Metadata());
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (closed) {
        return;
      }
      closed = true;
      // An observer's onError makes UNKNOWN of what is no StatusException.
      Throwable cause = status.getCause();
      if (cause != null && status.getCode() == Status.Code.UNKNOWN) {
        super.close(statusOf(cause), trailers);
      } else {
        super.close(status, trailers);
      }
    }
  }
}
