package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import io.sippbx.media.relay.AddressBits;
import io.sippbx.media.relay.PacketReader;
import io.sippbx.shared.net.Endpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The packet loop on io_uring: one system call a turn. Each socket has one request that receives
 * for as long as it is open; what a turn sends is handed over with the wait for the next one.
 *
 * <pre>
 * submit and wait -> read the answers: datagrams -> reader -> send is noted -> submit and wait ...
 * </pre>
 *
 * A closed socket lives on until the system has ended its request, which it does in the next turn.
 */
public final class UringPacketLoop extends LinuxLoop {

  private static final int REQUESTS = 128;
  private static final int ANSWERS = 1024;
  private static final int BUFFERS = 512;

  /**
   * What is filled is given back before the next wait, if it is so much: else for free, after it.
   */
  private static final int MANY_FILLED = 128;

  private static final int FIRST_SOCKETS = 1024;

  /**
   * Sockets that are armed again in a turn. Each may at once fill 32 buffers: if more were armed
   * most would fail for want of buffers, each turn anew, and a loop that is behind would never come
   * up again.
   */
  private static final int ARMED_A_TURN = 32;

  /** Turns at most until closed sockets are gone, when the loop ends. */
  private static final int LAST_TURNS = 1000;

  /** struct io_uring_recvmsg_out: lengths of address, control and payload, and flags. */
  private static final int HEADER_BYTES = 16;

  private static final int PAYLOAD_LENGTH_AT = 8;
  private static final int FLAGS_AT = 12;
  private static final int MESSAGE_HEADER_BYTES = 56;
  private static final int MESSAGE_NAME_LENGTH_AT = 8;

  /** The lower byte of a tag says what it is of, the rest depends on that. */
  private static final int TAG_RECEIVE = 1;

  private static final int TAG_SEND = 2;
  private static final int TAG_WAKE = 3;
  private static final int TAG_CANCEL = 4;

  private final Ring ring;
  private final int bufferBytes;
  private final ByteBuffer buffers;
  private final ByteBuffer lengths;
  private final long buffersAddress;

  /** struct msghdr that asks for the source of a datagram, of either family. */
  private final MemorySegment messageHeaderV4;

  private final MemorySegment messageHeaderV6;

  /** Where requests to send send: one for each place of a request. */
  private final Sockaddr[] destinations = new Sockaddr[REQUESTS];

  /** Buffers that were filled since the last turn: requests to send may still need them. */
  private final int[] filled = new int[BUFFERS];

  private int filledCount;

  private @Nullable UringSocket[] sockets = new UringSocket[FIRST_SOCKETS];
  private int[] freePlaces = new int[FIRST_SOCKETS];
  private int freeCount;

  /** Sockets whose request to receive has ended. */
  private final ArrayDeque<UringSocket> toArm = new ArrayDeque<>();

  /** Requests to receive that ended for want of buffers. */
  long starved;

  private int closing;
  private final ArrayDeque<Runnable> afterClosing = new ArrayDeque<>();

  /**
   * @param clock nanoseconds that never go back
   * @param maxDatagramBytes a longer datagram is dropped
   * @throws IllegalStateException if there is no io_uring here that can do what is needed
   */
  public UringPacketLoop(String threadName, LongSupplier clock, int maxDatagramBytes) {
    super(threadName, clock, maxDatagramBytes);
    bufferBytes = HEADER_BYTES + SOCKADDR_IN6_BYTES + maxDatagramBytes + 63 & ~63;
    MemorySegment all = arena.allocate((long) BUFFERS * bufferBytes, 4096);
    buffers = all.asByteBuffer();
    lengths = all.asByteBuffer().order(ByteOrder.nativeOrder());
    buffersAddress = all.address();
    messageHeaderV4 = messageHeader(arena, SOCKADDR_IN_BYTES);
    messageHeaderV6 = messageHeader(arena, SOCKADDR_IN6_BYTES);
    for (int i = 0; i < REQUESTS; i++) {
      destinations[i] = new Sockaddr(arena);
    }
    freeFrom(0);
    try {
      ring = new Ring(arena, system, REQUESTS, ANSWERS, BUFFERS, bufferBytes, all, TICK_MS);
    } catch (IllegalStateException e) {
      system.close(eventFd);
      throw e;
    }
  }

  /** Whether there is an io_uring here that this process may use and that can do what is needed. */
  public static boolean isSupported() {
    if (!isLinux()) {
      return false;
    }
    try {
      new UringPacketLoop("probe", () -> 0, 576).stop();
      return true;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  private static MemorySegment messageHeader(Arena arena, int nameBytes) {
    MemorySegment header = arena.allocate(MESSAGE_HEADER_BYTES, 8);
    header.asByteBuffer().order(ByteOrder.nativeOrder()).putInt(MESSAGE_NAME_LENGTH_AT, nameBytes);
    return header;
  }

  private void freeFrom(int first) {
    for (int place = sockets.length - 1; place >= first; place--) {
      freePlaces[freeCount++] = place;
    }
  }

  // ---- turns

  @Override
  void turns(Owner owner) {
    if (!ring.enable()) {
      owner.failed(new IllegalStateException("io_uring_register: errno " + system.errno()));
      return;
    }
    ring.poll(eventFd, TAG_WAKE);
    long lastTickNs = nowNs;
    while (!isStopping) {
      waitForAnswers(owner);
      nowNs = clock.getAsLong();
      try {
        if (readAnswers(owner)) {
          clearWake();
          owner.wokenUp();
        }
        runAfterClosing();
        if (nowNs - lastTickNs >= TICK_MS * 1_000_000L) {
          lastTickNs = nowNs;
          owner.tick();
        }
      } catch (RuntimeException e) {
        owner.failed(e);
      }
    }
  }

  private void waitForAnswers(Owner owner) {
    if (filledCount >= MANY_FILLED) {
      ring.submit();
      giveBack();
    }
    arm();
    boolean canWait = toArm.isEmpty();
    if (ring.submitAndWait(canWait) < 0 && ring.answers() == 0) {
      // time is up, or a signal came; or something is wrong
      int errno = ring.look();
      if (errno != 0 && errno != EINTR) {
        owner.failed(new IllegalStateException("io_uring_enter: errno " + errno));
      }
    }
    giveBack();
  }

  /** Lets the system fill buffers again, unless requests to send need them still. */
  private void giveBack() {
    if (ring.waiting() == 0) {
      for (int i = 0; i < filledCount; i++) {
        ring.giveBack(filled[i]);
      }
      filledCount = 0;
    }
  }

  /** Receives again where it has ended: only now, when there are buffers. */
  private void arm() {
    for (int i = 0; i < ARMED_A_TURN && !toArm.isEmpty(); i++) {
      UringSocket socket = toArm.remove();
      if (socket.isClosed) {
        gone(socket);
      } else {
        receive(socket);
      }
    }
  }

  /** Whether the loop was woken up. */
  private boolean readAnswers(Owner owner) {
    boolean woken = false;
    int answers = ring.answers();
    for (int i = 0; i < answers; i++) {
      long tag = ring.tag(i);
      int result = ring.result(i);
      int flags = ring.flags(i);
      try {
        switch ((int) tag & 0xff) {
          case TAG_RECEIVE -> received((int) (tag >>> 8), result, flags);
          case TAG_SEND -> refused(tag);
          case TAG_WAKE -> {
            woken = true;
            if ((flags & Ring.HAS_MORE) == 0) {
              ring.poll(eventFd, TAG_WAKE);
            }
          }
          default -> {}
        }
      } catch (RuntimeException e) {
        owner.failed(e);
      }
    }
    ring.seen(answers);
    return woken;
  }

  /** Only whether sockets are gone. */
  private void readLastAnswers() {
    int answers = ring.answers();
    for (int i = 0; i < answers; i++) {
      long tag = ring.tag(i);
      if ((tag & 0xff) == TAG_RECEIVE && (ring.flags(i) & Ring.HAS_MORE) == 0) {
        UringSocket socket = sockets[(int) (tag >>> 8)];
        if (socket != null) {
          ended(socket);
        }
      }
    }
    ring.seen(answers);
  }

  private void received(int place, int result, int flags) {
    UringSocket socket = sockets[place];
    if (socket == null) {
      throw new IllegalStateException("Expected a socket at " + place);
    }
    if ((flags & Ring.HAS_MORE) == 0) {
      if (result == -ENOBUFS) {
        starved++;
      }
      ended(socket);
    }
    if ((flags & Ring.HAS_BUFFER) != 0) {
      int buffer = Ring.buffer(flags);
      filled[filledCount++] = buffer;
      if (result >= 0 && !socket.isClosed) {
        deliver(socket, buffer * bufferBytes);
      }
    }
  }

  /** A request to receive has ended: with its socket, for want of buffers, by an empty datagram. */
  private void ended(UringSocket socket) {
    socket.isArmed = false;
    if (socket.isClosed) {
      gone(socket);
    } else {
      toArm.add(socket);
    }
  }

  private void gone(UringSocket socket) {
    sockets[socket.place] = null;
    freePlaces[freeCount++] = socket.place;
    closing--;
  }

  private void receive(UringSocket socket) {
    socket.isArmed = true;
    MemorySegment header = socket.isV6 ? messageHeaderV6 : messageHeaderV4;
    ring.receive(socket.fd, header.address(), receiveTag(socket));
  }

  private static long receiveTag(UringSocket socket) {
    return (long) socket.place << 8 | TAG_RECEIVE;
  }

  private void deliver(UringSocket socket, int at) {
    PacketReader to = socket.reader;
    if (to == null) {
      return;
    }
    int bytes = lengths.getInt(at + PAYLOAD_LENGTH_AT);
    if (bytes > memory.maxDatagramBytes || (lengths.getInt(at + FLAGS_AT) & MSG_TRUNC) != 0) {
      to.receivedTooLong();
      return;
    }
    int source = at + HEADER_BYTES;
    int port = buffers.getShort(source + SOCKADDR_PORT_AT) & 0xffff;
    if (socket.isV6) {
      to.received(
          buffers,
          source + SOCKADDR_IN6_BYTES,
          bytes,
          buffers.getLong(source + SOCKADDR_IN6_ADDRESS_AT),
          buffers.getLong(source + SOCKADDR_IN6_ADDRESS_AT + 8),
          port);
    } else {
      to.received(
          buffers,
          source + SOCKADDR_IN_BYTES,
          bytes,
          AddressBits.V4_HIGH,
          AddressBits.v4Low(buffers.getInt(source + SOCKADDR_IN_ADDRESS_AT)),
          port);
    }
  }

  // ---- sending

  /** Tag of a request to send: place (24 bits), kind (8), length (16). */
  void send(UringSocket socket, int at, int bytes, int kind) {
    Sockaddr to = destinations[ring.nextPlace()];
    int toBytes =
        to.write(
            socket.isV6, socket.destinationHigh, socket.destinationLow, socket.destinationPort);
    long tag = (long) socket.place << 32 | (long) kind << 24 | (long) bytes << 8 | TAG_SEND;
    ring.send(socket.fd, buffersAddress + at, bytes, to.address, toBytes, tag);
  }

  private void refused(long tag) {
    UringSocket socket = sockets[(int) (tag >>> 32)];
    if (socket != null && socket.reader != null) {
      socket.reader.refused((int) (tag >>> 8) & 0xffff, (int) (tag >>> 24) & 0xff);
    }
  }

  // ---- sockets

  @Override
  @Nullable LinuxSocket hold(int fd, Endpoint local) {
    if (freeCount == 0) {
      int before = sockets.length;
      sockets = Arrays.copyOf(sockets, before * 2);
      freePlaces = new int[before * 2];
      freeFrom(before);
    }
    int place = freePlaces[--freeCount];
    var socket = new UringSocket(fd, local, place, this);
    sockets[place] = socket;
    receive(socket);
    return socket;
  }

  /** To be called before the file descriptor is closed, whose number is another's then. */
  void closing(UringSocket socket) {
    closing++;
    if (socket.isArmed) {
      ring.cancel(receiveTag(socket), TAG_CANCEL);
    }
    ring.submit();
  }

  @Override
  public void afterClosing(Runnable task) {
    if (closing == 0) {
      task.run();
    } else {
      afterClosing.add(task);
    }
  }

  private void runAfterClosing() {
    while (closing == 0 && !afterClosing.isEmpty()) {
      afterClosing.remove().run();
    }
  }

  @Override
  void closeAll() {
    for (UringSocket socket : sockets) {
      if (socket != null) {
        socket.close();
      }
    }
    while (!toArm.isEmpty()) {
      arm();
    }
    for (int i = 0; i < LAST_TURNS && closing > 0; i++) {
      long ignored = ring.submitAndWait(true);
      readLastAnswers();
    }
    ring.close();
    while (!afterClosing.isEmpty()) {
      afterClosing.remove().run();
    }
  }
}
