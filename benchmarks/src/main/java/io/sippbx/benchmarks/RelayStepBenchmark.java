package io.sippbx.benchmarks;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.EndPlan;
import io.sippbx.media.relay.PacketLoop;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.media.relay.PacketSocket;
import io.sippbx.media.relay.RelayListener;
import io.sippbx.media.relay.RelaySettings;
import io.sippbx.media.relay.SessionPlan;
import io.sippbx.media.relay.StreamPlan;
import io.sippbx.media.relay.StreamPorts;
import io.sippbx.media.relay.WorkerRelay;
import io.sippbx.media.rtp.MediaKind;
import io.sippbx.media.rtp.PayloadTypes;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * All that the relay does with an RTP packet but the two system calls: demultiplexed, validated,
 * latched, counted, given to the socket of the other side.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class RelayStepBenchmark {

  private static final int PACKET = 172;
  private static final int SAMPLES = 160;
  private static final int VERSION_2 = 0x80;
  private static final int SEQUENCE_AT = 2;
  private static final int TIMESTAMP_AT = 4;
  private static final int SSRC_AT = 8;
  private static final long PACKET_NS = 20_000_000;
  private static final Endpoint CALLER = Endpoint.of("192.0.2.10", 4000);
  private static final Endpoint CALLEE = Endpoint.of("192.0.2.20", 4000);
  private static final Endpoint OURS = Endpoint.of("198.51.100.2", 20_000);
  private static final PayloadTypes PAYLOAD_TYPES =
      PayloadTypes.of(MediaKind.AUDIO, List.of(0, 8, 101));

  private final Turned loop = new Turned();
  private final ByteBuffer packet = ByteBuffer.allocateDirect(PACKET);
  private final long high = AddressBits.high(CALLER.ip());
  private final long low = AddressBits.low(CALLER.ip());
  private final PacketReader reader;
  private int sequence;

  /** A session of one stream, whose caller sends. */
  public RelayStepBenchmark() {
    var relay =
        new WorkerRelay(
            "none", RelaySettings.defaults().withWorkers(1), RelayListener.none(), worker -> loop);
    relay.open(
        CallKey.ofBytes(new byte[16]),
        List.of(
            new StreamPorts(
                0, OURS, OURS.withPort(20_001), OURS.withPort(20_002), OURS.withPort(20_003))),
        new SessionPlan(
            List.of(StreamPlan.rtp(0, MediaKind.AUDIO, end(CALLER), end(CALLEE))),
            Duration.ofMinutes(1)),
        opened -> {});
    loop.turn();
    packet.put(0, (byte) VERSION_2).putInt(SSRC_AT, 1);
    reader = loop.reader(OURS);
    if (relayed() != 1) {
      throw new IllegalStateException("Expected the packet to be sent on, but it was not");
    }
  }

  private static EndPlan end(Endpoint remote) {
    return new EndPlan(Optional.of(remote), Optional.empty(), false, true, true, PAYLOAD_TYPES, 0);
  }

  private long relayed() {
    long before = loop.sent;
    relay();
    return loop.sent - before;
  }

  /** One packet of 20 ms of G.711 from the caller. */
  @Benchmark
  public long relay() {
    loop.nowNs += PACKET_NS;
    sequence++;
    packet.putShort(SEQUENCE_AT, (short) sequence).putInt(TIMESTAMP_AT, sequence * SAMPLES);
    reader.received(packet, 0, PACKET, high, low, CALLER.port());
    return loop.sent;
  }

  /** A loop without thread and sockets. */
  private static final class Turned implements PacketLoop {
    private final List<Socket> sockets = new ArrayList<>();
    private @Nullable Owner owner;
    private long nowNs = 1;
    private long sent;

    @Override
    public void start(Owner of) {
      owner = of;
    }

    @Override
    public void wakeUp() {}

    void turn() {
      if (owner != null) {
        owner.wokenUp();
      }
    }

    PacketReader reader(Endpoint local) {
      for (Socket each : sockets) {
        if (each.local.equals(local) && each.reader != null) {
          return each.reader;
        }
      }
      throw new IllegalStateException("Expected a reader of " + local);
    }

    @Override
    public void stop() {
      sockets.clear();
    }

    @Override
    public BindAnswer bind(Endpoint local, SocketOptions options) {
      var socket = new Socket(local);
      sockets.add(socket);
      return new BindAnswer.Bound(socket);
    }

    @Override
    public void afterClosing(Runnable task) {
      task.run();
    }

    @Override
    public long nowNs() {
      return nowNs;
    }

    private final class Socket implements PacketSocket {
      private final Endpoint local;
      private @Nullable PacketReader reader;

      Socket(Endpoint local) {
        this.local = local;
      }

      @Override
      public Endpoint local() {
        return local;
      }

      @Override
      public void readBy(PacketReader by) {
        reader = by;
      }

      @Override
      public int receiveBufferBytes() {
        return Integer.MAX_VALUE;
      }

      @Override
      public void destination(long high, long low, int port) {}

      @Override
      public boolean send(int at, int length, int kind) {
        sent++;
        return true;
      }

      @Override
      public long kernelDrops() {
        return 0;
      }

      @Override
      public void close() {}
    }
  }
}
