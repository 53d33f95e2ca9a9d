package io.sippbx.shared.operations;

import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.grpc.BindableService;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.sippbx.shared.config.Secret;
import io.sippbx.shared.net.IpAddress;
import io.sippbx.shared.telemetry.Metrics;
import io.sippbx.shared.telemetry.ProcessMetric;
import io.sippbx.shared.telemetry.RateLimitedLog;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The door of the admin API: who may, how often, and a line in the log for each change, whatever
 * came of it. Stats, health and reflection are open to everybody.
 *
 * <p>With a token configured each request must bear it. Without one only this machine is answered:
 * the connection must come from a loopback address or from the very address that it comes to, and
 * the request must name one of these as its host and no page as its origin, so that what a browser
 * on this machine was made to send is refused.
 */
final class AdminAccess implements ServerInterceptor {

  private static final Logger log = LoggerFactory.getLogger(AdminAccess.class);
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ORIGIN =
      Metadata.Key.of("origin", Metadata.ASCII_STRING_MARSHALLER);
  private static final String SCHEME = "bearer ";
  private static final int MAX_SHOWN = 256;

  private final List<BindableService> services;
  private final TreeSet<String> guarded = new TreeSet<>();
  private final Optional<Secret<String>> token;
  private final Allowance allowance;
  private final RateLimitedLog limited = RateLimitedLog.of(log);
  private final Map<Outcome, Metrics.Counter> counters = new LinkedHashMap<>();

  /** How a request ended, for the metric. */
  private enum Outcome {
    DONE("done"),
    WRONG("wrong"),
    DENIED("denied"),
    LIMITED("limited"),
    FAILED("failed");

    private final String label;

    Outcome(String label) {
      this.label = label;
    }

    static Outcome of(Status status) {
      return switch (status.getCode()) {
        case OK -> DONE;
        case INVALID_ARGUMENT,
            NOT_FOUND,
            FAILED_PRECONDITION,
            UNIMPLEMENTED,
            ALREADY_EXISTS,
            OUT_OF_RANGE,
            CANCELLED ->
            WRONG;
        case UNAUTHENTICATED, PERMISSION_DENIED -> DENIED;
        case RESOURCE_EXHAUSTED -> LIMITED;
        case UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS -> FAILED;
      };
    }
  }

  AdminAccess(AdminApi api, Metrics metrics) {
    this.services = api.services();
    this.token = api.access().token();
    this.allowance = new Allowance(api.access().maxRequestsPerSecond(), System::nanoTime);
    for (BindableService service : services) {
      guarded.add(service.bindService().getServiceDescriptor().getName());
    }
    for (Outcome each : Outcome.values()) {
      counters.put(each, metrics.counter(ProcessMetric.ADMIN_REQUESTS, each.label));
    }
  }

  /** The services behind the door. */
  List<BindableService> services() {
    return services;
  }

  /** Their names. */
  List<String> guarded() {
    return new ArrayList<>(guarded);
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    MethodDescriptor<Q, A> method = call.getMethodDescriptor();
    if (!guarded.contains(String.valueOf(method.getServiceName()))) {
      return next.startCall(call, headers);
    }
    ServiceRequestContext context = ServiceRequestContext.current();
    InetSocketAddress peer = context.remoteAddress();
    Optional<Status> refusal =
        allowance.take()
            ? refusal(
                peer,
                context.localAddress().getAddress(),
                String.valueOf(context.request().authority()),
                headers)
            : Optional.of(
                Status.RESOURCE_EXHAUSTED.withDescription(
                    "more than admin.max_requests_per_second: try again in a second"));
    String name = String.valueOf(method.getBareMethodName());
    if (refusal.isPresent()) {
      Status status = refusal.get();
      count(status);
      limited
          .at(Level.WARN, "admin.refused")
          .addKeyValue("peer", shown(peer))
          .addKeyValue("method", name)
          .addKeyValue("code", status.getCode())
          .log("admin.refused");
      call.close(status, new Metadata());
      return new ServerCall.Listener<>() {};
    }
    var asked = new AtomicReference<String>("");
    boolean isChange = !name.startsWith("Get") && !name.startsWith("List");
    var counted =
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            count(status);
            if (isChange) {
              log.atInfo()
                  .addKeyValue("by", token.isPresent() ? "token" : "loopback")
                  .addKeyValue("peer", shown(peer))
                  .addKeyValue("method", name)
                  .addKeyValue("request", asked.get())
                  .addKeyValue("code", status.getCode())
                  .log("admin.change");
            }
            super.close(status, trailers);
          }
        };
    return new SimpleForwardingServerCallListener<>(next.startCall(counted, headers)) {
      @Override
      public void onMessage(Q message) {
        if (message instanceof Message content) {
          String text =
              TextFormat.printer().emittingSingleLine(true).printToString(content).strip();
          asked.set(text.length() > MAX_SHOWN ? text.substring(0, MAX_SHOWN) : text);
        }
        super.onMessage(message);
      }
    };
  }

  private void count(Status status) {
    Metrics.Counter counter = counters.get(Outcome.of(status));
    if (counter != null) {
      counter.increment();
    }
  }

  private Optional<Status> refusal(
      InetSocketAddress peer, InetAddress local, String authority, Metadata headers) {
    if (token.isPresent()) {
      return bears(token.get(), headers.get(AUTHORIZATION))
          ? Optional.empty()
          : Optional.of(
              Status.UNAUTHENTICATED.withDescription(
                  "Authorization: expected Bearer and the admin.token of this node"));
    }
    InetAddress address = peer.getAddress();
    boolean isLocal =
        address != null
            && (address.isLoopbackAddress() || address.equals(local))
            && namesThisMachine(authority, local)
            && headers.get(ORIGIN) == null;
    return isLocal
        ? Optional.empty()
        : Optional.of(
            Status.PERMISSION_DENIED.withDescription(
                "admin.token is not set on this node, so that it answers only to requests from"
                    + " the machine that it runs on, by http://127.0.0.1 or http://[::1]"));
  }

  /** Compares in a time that does not tell how much of it was right. */
  private static boolean bears(
      Secret<String> token, @org.jspecify.annotations.Nullable String authorization) {
    if (authorization == null
        || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return false;
    }
    String given = authorization.substring(SCHEME.length()).strip();
    return MessageDigest.isEqual(
        given.getBytes(StandardCharsets.UTF_8), token.value().getBytes(StandardCharsets.UTF_8));
  }

  /** Whether the Host of a request is this machine: a name that somebody else owns may be not. */
  private static boolean namesThisMachine(String authority, InetAddress local) {
    int end = authority.startsWith("[") ? authority.indexOf(']') + 1 : authority.lastIndexOf(':');
    String host = end > 0 ? authority.substring(0, end) : authority;
    if (host.equalsIgnoreCase("localhost")) {
      return true;
    }
    String literal = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    Optional<IpAddress> named = IpAddress.parse(literal);
    return named
        .filter(ip -> ip.isLoopback() || named.equals(IpAddress.parse(local.getHostAddress())))
        .isPresent();
  }

  private static String shown(InetSocketAddress peer) {
    return peer.getAddress() == null ? peer.toString() : peer.getAddress().getHostAddress();
  }

  /** So many a second, and as many at once after a pause. Any thread. */
  static final class Allowance {
    private final double perSecond;
    private final LongSupplier nanoTime;
    private long sinceNs;
    private double left;

    Allowance(int perSecond, LongSupplier nanoTime) {
      this.perSecond = perSecond;
      this.nanoTime = nanoTime;
      this.sinceNs = nanoTime.getAsLong();
      this.left = perSecond;
    }

    synchronized boolean take() {
      long nowNs = nanoTime.getAsLong();
      left = Math.min(perSecond, left + (nowNs - sinceNs) * perSecond / 1e9);
      sinceNs = nowNs;
      if (left < 1) {
        return false;
      }
      left--;
      return true;
    }
  }
}
