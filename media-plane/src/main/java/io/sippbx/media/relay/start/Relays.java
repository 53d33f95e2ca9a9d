package io.sippbx.media.relay.start;

import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.Relay;
import io.sippbx.media.relay.RelayListener;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.relay.RelaySettings.LoopChoice;
import io.sippbx.media.relay.WorkerRelay;
import io.sippbx.media.relay.ffm.FfmPacketLoop;
import io.sippbx.media.relay.ffm.UringPacketLoop;
import io.sippbx.media.relay.netty.NettyPacketLoop;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts relays. */
public final class Relays {

  private static final Logger LOG = LoggerFactory.getLogger(Relays.class);

  private enum Adapter {
    URING("uring"),
    FFM("ffm"),
    NETTY_EPOLL("netty-epoll"),
    NETTY_NIO("netty-nio");

    private final String label;

    Adapter(String label) {
      this.label = label;
    }
  }

  private Relays() {}

  /**
   * Starts a relay with the adapter that {@code settings} choose.
   *
   * @param listener called on the workers
   * @param clock nanoseconds that never go back; {@code System::nanoTime} but in tests
   * @throws IllegalStateException if an adapter was asked for that this machine has not
   */
  public static Relay start(RelaySettings settings, RelayListener listener, LongSupplier clock) {
    Adapter adapter = choose(settings.loop());
    Relay relay =
        new WorkerRelay(adapter.label, settings, listener, loops(adapter, settings, clock));
    LOG.atInfo()
        .addKeyValue("adapter", adapter.label)
        .addKeyValue("asked", settings.loop())
        .addKeyValue("workers", settings.workers())
        .addKeyValue("max_sessions", settings.maxSessions())
        .log("relay.started");
    return relay;
  }

  private static Adapter choose(LoopChoice choice) {
    return switch (choice) {
      case AUTO ->
          UringPacketLoop.isSupported()
              ? Adapter.URING
              : FfmPacketLoop.isSupported() ? Adapter.FFM : netty();
      case URING -> Adapter.URING;
      case FFM -> Adapter.FFM;
      case NETTY -> netty();
      case NETTY_NIO -> Adapter.NETTY_NIO;
    };
  }

  private static Adapter netty() {
    return NettyPacketLoop.isEpollHere() ? Adapter.NETTY_EPOLL : Adapter.NETTY_NIO;
  }

  private static IntFunction<PacketLoop> loops(
      Adapter adapter, RelaySettings settings, LongSupplier clock) {
    int longest = settings.maxDatagramBytes();
    return worker -> {
      String name = "relay-" + worker;
      return switch (adapter) {
        case URING -> new UringPacketLoop(name, clock, longest);
        case FFM -> new FfmPacketLoop(name, clock, longest);
        case NETTY_EPOLL -> new NettyPacketLoop(name, true, clock, longest);
        case NETTY_NIO -> new NettyPacketLoop(name, false, clock, longest);
      };
    };
  }
}
