package io.sippbx.event.webhook.http;

import com.linecorp.armeria.client.ClientFactory;
import com.linecorp.armeria.client.ClientFactoryBuilder;
import com.linecorp.armeria.client.Endpoint;
import com.linecorp.armeria.client.UnprocessedRequestException;
import com.linecorp.armeria.client.WebClient;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.RequestHeadersBuilder;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.common.SplitHttpResponse;
import com.linecorp.armeria.common.util.EventLoopGroups;
import io.netty.channel.EventLoopGroup;
import io.sippbx.event.webhook.Outcome;
import io.sippbx.event.webhook.Webhook;
import io.sippbx.event.webhook.WebhookSender;
import io.sippbx.event.webhook.WebhookSignature;
import io.sippbx.shared.config.EventsConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Posts webhooks over HTTP. A host is resolved for each attempt, its address is looked at, and that
 * address is connected to: no name can change between the two. Certificates are verified; no
 * redirect leads to another host; of an answer's body nothing is kept.
 */
public final class HttpWebhooks implements AutoCloseable {

  private static final int LOOPS = 2;
  private static final int MAX_REDIRECTS = 3;
  private static final long MAX_BODY = 64 << 10;
  private static final int MAX_PROBLEM = 300;
  private static final Duration MAX_CONNECT = Duration.ofSeconds(10);
  private static final String USER_AGENT = "sip-pbx-webhooks/1";

  private final EventsConfig.Reach reach;
  private final Duration timeout;
  private final InstantSource clock;
  private final EventLoopGroup loops;
  private final ClientFactory clients;

  private HttpWebhooks(
      EventsConfig.Reach reach,
      Duration timeout,
      InstantSource clock,
      EventLoopGroup loops,
      ClientFactory clients) {
    this.reach = reach;
    this.timeout = timeout;
    this.clock = clock;
    this.loops = loops;
    this.clients = clients;
  }

  /**
   * Opens what all receivers share.
   *
   * @param timeout of an attempt
   * @throws IOException if the file of certificates is of no use; names the key
   */
  public static HttpWebhooks open(EventsConfig.Reach reach, Duration timeout, InstantSource clock)
      throws IOException {
    String key = "events.webhook_ca_file = " + reach.caFile().map(Path::toString).orElse("");
    if (reach.caFile().filter(file -> !Files.isReadable(file)).isPresent()) {
      throw new IOException(key + ": expected a file that this process can read");
    }
    EventLoopGroup loops = EventLoopGroups.newEventLoopGroup(LOOPS, "webhook-http", true);
    ClientFactoryBuilder builder =
        ClientFactory.builder()
            .workerGroup(loops, false)
            .connectTimeout(timeout.compareTo(MAX_CONNECT) < 0 ? timeout : MAX_CONNECT)
            .idleTimeout(Duration.ofSeconds(30));
    reach
        .caFile()
        .ifPresent(
            file ->
                builder.tlsCustomizer(
                    tls -> {
                      try {
                        tls.trustManager(file.toFile());
                      } catch (IllegalArgumentException e) {
                        throw new IllegalArgumentException(
                            key + ": expected certificates (PEM)", e);
                      }
                    }));
    return new HttpWebhooks(reach, timeout, clock, loops, builder.build());
  }

  /** Who posts to one receiver. */
  public WebhookSender to(EventsConfig.Receiver receiver) {
    var signature = new WebhookSignature(receiver.secrets());
    return (webhook, answer) ->
        // Names are resolved by the JDK, which blocks; as many at once as there are requests.
        Thread.ofVirtual()
            .name("webhook-resolve")
            .start(() -> new Attempt(receiver.url(), webhook, signature, answer).begin());
  }

  /** One attempt, with the redirects that it follows. */
  private final class Attempt {
    private final URI origin;
    private final Webhook webhook;
    private final WebhookSignature signature;
    private final Consumer<Outcome> answer;
    private final long endNs = System.nanoTime() + timeout.toNanos();
    private int redirects;

    Attempt(URI origin, Webhook webhook, WebhookSignature signature, Consumer<Outcome> answer) {
      this.origin = origin;
      this.webhook = webhook;
      this.signature = signature;
      this.answer = answer;
    }

    void begin() {
      post(origin);
    }

    private void post(URI url) {
      InetAddress address;
      try {
        address = address(url.getHost());
      } catch (NotPublicException e) {
        answer.accept(new Outcome.Refused(0, String.valueOf(e.getMessage())));
        return;
      } catch (UnknownHostException e) {
        answer.accept(again("no address of " + url.getHost()));
        return;
      }
      long leftMs = (endNs - System.nanoTime()) / 1_000_000;
      if (leftMs <= 0) {
        answer.accept(again("no answer in " + timeout.toSeconds() + " s"));
        return;
      }
      HttpResponse response = client(url, address, leftMs).execute(request(url));
      SplitHttpResponse parts = response.split();
      var _ =
          parts
              .headers()
              .handle(
                  (headers, problem) -> {
                    if (problem == null) {
                      drain(parts);
                      headers(url, headers);
                    } else {
                      parts.body().abort();
                      answer.accept(again(said(problem)));
                    }
                    return headers;
                  });
    }

    private WebClient client(URI url, InetAddress address, long withinMs) {
      boolean tls = isTls(url);
      int port = port(url);
      SessionProtocol protocol = tls ? SessionProtocol.HTTPS : SessionProtocol.H1C;
      String host = bare(url.getHost());
      Endpoint endpoint =
          ReceiverAddress.literal(host).isPresent()
              ? Endpoint.of(host, port)
              : Endpoint.of(host, port).withInetAddress(address);
      return WebClient.builder(protocol, endpoint)
          .factory(clients)
          .responseTimeoutMillis(withinMs)
          .writeTimeoutMillis(withinMs)
          .maxResponseLength(0)
          .build();
    }

    private HttpRequest request(URI url) {
      byte[] body = webhook.body().getBytes(StandardCharsets.UTF_8);
      long now = clock.instant().getEpochSecond();
      String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
      String target = url.getRawQuery() == null ? path : path + "?" + url.getRawQuery();
      RequestHeadersBuilder headers =
          RequestHeaders.builder()
              .method(HttpMethod.POST)
              .path(target)
              .authority(url.getRawAuthority())
              .add(HttpHeaderNames.CONTENT_TYPE, "application/json")
              .add(HttpHeaderNames.USER_AGENT, USER_AGENT)
              .add("webhook-id", webhook.id())
              .add("webhook-timestamp", String.valueOf(now));
      signature
          .of(webhook.id(), now, body)
          .ifPresent(value -> headers.add("webhook-signature", value));
      return HttpRequest.of(headers.build(), HttpData.wrap(body));
    }

    /** Reads a short body to its end, so that the connection can be used again, and drops it. */
    private void drain(SplitHttpResponse parts) {
      parts.body().subscribe(new Drain(MAX_BODY));
    }

    private void headers(URI url, ResponseHeaders headers) {
      int status = headers.status().code();
      String location = headers.get(HttpHeaderNames.LOCATION, "");
      boolean isRedirect = status == 301 || status == 302 || status == 307 || status == 308;
      if (!isRedirect) {
        answer.accept(
            Outcome.of(status, headers.get(HttpHeaderNames.RETRY_AFTER, ""), clock.instant()));
        return;
      }
      Optional<URI> next = resolved(url, location);
      if (next.isEmpty() || !isSameOrigin(next.get())) {
        answer.accept(new Outcome.Refused(status, "status " + status + " to another host"));
      } else if (++redirects > MAX_REDIRECTS) {
        answer.accept(new Outcome.Refused(status, "more than " + MAX_REDIRECTS + " redirects"));
      } else {
        // Off the event loop, for the name is resolved and looked at again.
        Thread.ofVirtual().name("webhook-redirect").start(() -> post(next.get()));
      }
    }

    private boolean isSameOrigin(URI next) {
      return next.getHost() != null
          && next.getHost().equalsIgnoreCase(origin.getHost())
          && isTls(next) == isTls(origin)
          && port(next) == port(origin);
    }

    private Outcome again(String problem) {
      return new Outcome.Again(0, problem, Optional.empty());
    }
  }

  private static Optional<URI> resolved(URI url, String location) {
    try {
      URI next = location.isEmpty() ? url : url.resolve(location);
      String scheme = next.getScheme();
      boolean http = "http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme);
      return location.isEmpty() || !http ? Optional.empty() : Optional.of(next);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static boolean isTls(URI url) {
    return "https".equals(url.getScheme().toLowerCase(Locale.ROOT));
  }

  private static int port(URI url) {
    return url.getPort() > 0 ? url.getPort() : isTls(url) ? 443 : 80;
  }

  private static String bare(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  /** A host is at no address that may be connected to. */
  private static final class NotPublicException extends UnknownHostException {
    private static final long serialVersionUID = 1;

    NotPublicException(String message) {
      super(message);
    }
  }

  private InetAddress address(String host) throws UnknownHostException {
    List<InetAddress> all = List.of(InetAddress.getAllByName(host));
    if (reach.privateReceivers()) {
      return all.getFirst();
    }
    var kinds = new ArrayList<String>();
    for (InetAddress each : all) {
      Optional<String> kind = ReceiverAddress.notPublic(each);
      if (kind.isEmpty()) {
        return each;
      }
      kinds.add(kind.get());
    }
    throw new NotPublicException(ReceiverAddress.refusal(host, kinds.getFirst()));
  }

  private static String said(Throwable problem) {
    Throwable cause = problem;
    while ((cause instanceof CompletionException || cause instanceof UnprocessedRequestException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String text =
        cause.getMessage() == null || cause.getMessage().isBlank()
            ? cause.getClass().getSimpleName()
            : cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return text.length() > MAX_PROBLEM ? text.substring(0, MAX_PROBLEM) : text;
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    clients.close();
    var _ = loops.shutdownGracefully(50, 1_000, TimeUnit.MILLISECONDS);
  }
}
