package io.sippbx.control.sip.locate;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsErrorCauseException;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverTimeoutException;
import io.netty.resolver.dns.NoopAuthoritativeDnsServerCache;
import io.netty.resolver.dns.NoopDnsCache;
import io.netty.resolver.dns.NoopDnsCnameCache;
import io.netty.resolver.dns.SequentialDnsServerAddressStreamProvider;
import io.netty.util.ReferenceCountUtil;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.transport.NettyLoops;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * DNS by Netty's asynchronous resolver: the hosts file first, then the name servers of the system
 * or those that are given, over UDP and where an answer is cut off over TCP. Names that are not
 * found as they are, are looked up in the system's search domains. Keeps no answers.
 *
 * <p>A name server that refuses a question is not told from one that has no records: the resolver
 * says the same of both.
 */
// Netty returns a future from everything; those of closing and of listeners tell nothing new.
@SuppressWarnings("FutureReturnValueIgnored")
public final class NettyDns implements Dns, AutoCloseable {

  /** Of answers that come without a lifetime: from the search domains. */
  private static final Duration SEARCHED_LIFETIME = Duration.ofSeconds(30);

  private final DnsNameResolver resolver;
  private final Loop loop;

  private NettyDns(DnsNameResolver resolver, Loop loop) {
    this.resolver = resolver;
    this.loop = loop;
  }

  /**
   * Opens a resolver.
   *
   * @param own the loop that asks and is answered: one of {@code loops}
   * @param servers name servers to ask in order; none for the system's
   * @param queryTimeout until the next server, or the same one again, is asked
   */
  public static NettyDns open(
      NettyLoops loops, Loop own, List<Endpoint> servers, Duration queryTimeout) {
    EventLoop eventLoop = loops.eventLoop(own);
    var builder =
        new DnsNameResolverBuilder(eventLoop)
            .datagramChannelFactory(loops::newDatagramChannel)
            .socketChannelFactory(loops::newSocketChannel)
            .resolveCache(NoopDnsCache.INSTANCE)
            .cnameCache(NoopDnsCnameCache.INSTANCE)
            .authoritativeDnsServerCache(NoopAuthoritativeDnsServerCache.INSTANCE)
            .resolvedAddressTypes(ResolvedAddressTypes.IPV4_PREFERRED)
            .queryTimeoutMillis(queryTimeout.toMillis())
            .consolidateCacheSize(0);
    if (!servers.isEmpty()) {
      var addresses = new ArrayList<InetSocketAddress>();
      for (Endpoint server : servers) {
        addresses.add(NettyLoops.socketAddress(server));
      }
      builder.nameServerProvider(new SequentialDnsServerAddressStreamProvider(addresses));
    }
    return new NettyDns(builder.build(), own);
  }

  @Override
  public void ask(Question question, Consumer<Answer> answer) {
    DefaultDnsQuestion wire;
    try {
      wire = new DefaultDnsQuestion(question.name() + ".", type(question.kind()));
    } catch (IllegalArgumentException e) {
      // A label of more than 63 octets and the like: no such name can exist.
      loop.execute(() -> answer.accept(new Answer.None()));
      return;
    }
    resolver
        .resolveAll(wire)
        .addListener(
            future -> {
              // The resolver may answer inline, from the hosts file.
              if (future.isSuccess()) {
                @SuppressWarnings("unchecked")
                var records = (List<DnsRecord>) future.getNow();
                Answer result = answer(records, question.kind());
                loop.execute(() -> answer.accept(result));
              } else {
                failed(question, future.cause(), answer);
              }
            });
  }

  private void failed(Question question, Throwable cause, Consumer<Answer> answer) {
    Answer result = answer(cause);
    boolean address = question.kind() == Kind.A || question.kind() == Kind.AAAA;
    if (!(result instanceof Answer.None) || !address) {
      loop.execute(() -> answer.accept(result));
      return;
    }
    resolver
        .resolveAll(question.name())
        .addListener(
            future -> {
              var found = new ArrayList<Data>();
              if (future.isSuccess()) {
                @SuppressWarnings("unchecked")
                var addresses = (List<InetAddress>) future.getNow();
                for (InetAddress each : addresses) {
                  IpAddress ip = IpAddress.ofOctets(each.getAddress());
                  if (ip.isV6() == (question.kind() == Kind.AAAA)) {
                    found.add(new Data.Address(ip));
                  }
                }
              }
              Answer searched =
                  found.isEmpty() ? result : new Answer.Records(found, SEARCHED_LIFETIME);
              loop.execute(() -> answer.accept(searched));
            });
  }

  /** Closes the resolver's sockets; open questions are answered as failed. */
  @Override
  public void close() {
    resolver.close();
  }

  private static DnsRecordType type(Kind kind) {
    return switch (kind) {
      case A -> DnsRecordType.A;
      case AAAA -> DnsRecordType.AAAA;
      case SRV -> DnsRecordType.SRV;
      case NAPTR -> DnsRecordType.NAPTR;
    };
  }

  private static Answer answer(List<DnsRecord> records, Kind kind) {
    var found = new ArrayList<Data>();
    long lifetime = Long.MAX_VALUE;
    try {
      for (DnsRecord record : records) {
        if (record instanceof DnsRawRecord raw && record.type().equals(type(kind))) {
          found.add(data(raw.content(), kind));
          lifetime = Math.min(lifetime, record.timeToLive());
        }
      }
    } catch (CorruptedFrameException | IndexOutOfBoundsException | IllegalArgumentException e) {
      return new Answer.Failed(false, "malformed answer of DNS: " + e.getMessage());
    } finally {
      for (DnsRecord record : records) {
        ReferenceCountUtil.release(record);
      }
    }
    return found.isEmpty()
        ? new Answer.None()
        : new Answer.Records(found, Duration.ofSeconds(lifetime));
  }

  private static Data data(ByteBuf content, Kind kind) {
    return switch (kind) {
      case A, AAAA -> {
        byte[] octets = new byte[content.readableBytes()];
        content.readBytes(octets);
        yield new Data.Address(IpAddress.ofOctets(octets));
      }
      case SRV ->
          new Data.Srv(
              content.readUnsignedShort(),
              content.readUnsignedShort(),
              content.readUnsignedShort(),
              name(content));
      case NAPTR -> {
        int order = content.readUnsignedShort();
        int preference = content.readUnsignedShort();
        String flags = text(content);
        String service = text(content);
        String expression = text(content);
        String replacement = name(content);
        yield new Data.Naptr(
            order, preference, flags, service, expression.isEmpty() ? replacement : "");
      }
    };
  }

  private static String text(ByteBuf content) {
    int length = content.readUnsignedByte();
    return content.readString(length, StandardCharsets.US_ASCII);
  }

  private static String name(ByteBuf content) {
    String name = DefaultDnsRecordDecoder.decodeName(content).toLowerCase(Locale.ROOT);
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  private static Answer answer(Throwable cause) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      if (each instanceof DnsNameResolverTimeoutException) {
        return new Answer.Failed(
            true, "no answer from " + ((DnsNameResolverTimeoutException) each).remoteAddress());
      }
      if (each instanceof DnsErrorCauseException error) {
        int code = error.getCode().intValue();
        // NXDOMAIN, and a name without such records.
        return code == 3 || code == 0
            ? new Answer.None()
            : new Answer.Failed(false, "DNS answered " + error.getCode());
      }
    }
    return cause instanceof UnknownHostException && cause.getCause() == null
        ? new Answer.None()
        : new Answer.Failed(false, "DNS failed: " + cause.getMessage());
  }
}
