package io.sippbx.media.relay.ffm;

import static io.sippbx.media.relay.ffm.LinuxSockets.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An io_uring: a ring of requests that the system takes, a ring of answers that it gives, and a
 * ring of buffers that it fills. The answers are written while this thread is in {@link
 * #submitAndWait} and at no other time (DEFER_TASKRUN), so that all of it is memory of one thread.
 * Confined to that thread once {@link #enable} was called.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/io_uring.7.html">io_uring(7)</a>
 */
final class Ring {

  /** Of the flags of an answer: a buffer was filled; more answers to the same request come. */
  static final int HAS_BUFFER = 1;

  static final int HAS_MORE = 2;

  private static final int REQUEST_BYTES = 64;
  private static final int ANSWER_BYTES = 16;
  private static final int BUFFER_ENTRY_BYTES = 16;
  private static final int PARAMS_BYTES = 120;

  private static final int SETUP_CQSIZE = 1 << 3;
  private static final int SETUP_R_DISABLED = 1 << 6;
  private static final int SETUP_SUBMIT_ALL = 1 << 7;
  private static final int SETUP_SINGLE_ISSUER = 1 << 12;
  private static final int SETUP_DEFER_TASKRUN = 1 << 13;

  private static final int FEATURE_SINGLE_MMAP = 1;

  /** Linux 6.3, which has all that is asked for here. */
  private static final int FEATURE_REG_REG_RING = 1 << 13;

  private static final int ENTER_GETEVENTS = 1;
  private static final int ENTER_EXT_ARG = 8;

  /** Else all the time without a packet would be shown as waiting for a disk: Linux 6.15. */
  private static final int ENTER_NO_IOWAIT = 1 << 7;

  private static final int FEATURE_NO_IOWAIT = 1 << 17;
  private static final int EXT_ARG_BYTES = 24;

  private static final int REGISTER_ENABLE_RINGS = 12;
  private static final int REGISTER_PBUF_RING = 22;

  private static final byte OP_POLL_ADD = 6;
  private static final byte OP_RECVMSG = 10;
  private static final byte OP_ASYNC_CANCEL = 14;
  private static final byte OP_SEND = 26;

  private static final byte BUFFER_SELECT = 1 << 5;
  private static final byte SKIP_SUCCESS = 1 << 6;
  private static final short RECEIVE_MULTISHOT = 1 << 1;
  private static final int POLL_ADD_MULTISHOT = 1;
  private static final int POLLIN = 1;

  private static final long REQUESTS_AT = 0x1000_0000L;

  private final Caller system;
  private final int fd;
  private final long ringBytes;
  private final long ringAddress;
  private final long requestsAddress;

  /** Heads and tails of both rings, and the answers. */
  private final ByteBuffer rings;

  private final ByteBuffer requests;
  private final int requestCount;
  private final int requestHeadAt;
  private final int requestTailAt;
  private final int answerMask;
  private final int answerHeadAt;
  private final int answerTailAt;
  private final int answersAt;

  private final ByteBuffer bufferRing;
  private final long buffersAddress;
  private final int bufferBytes;
  private final int bufferMask;

  private final MemorySegment waitArgument;
  private final int waitFlags;

  private int requestTail;
  private int answerHead;
  private int bufferTail;

  /**
   * @param requestCount a power of 2
   * @param answerCount a power of 2, at least as much
   * @param bufferCount a power of 2
   * @param buffers {@code bufferCount} buffers of {@code bufferBytes}, one after the other
   * @param waitMs for how long {@link #submitAndWait} waits
   * @throws IllegalStateException if there is no io_uring here, or not one that can do all this
   */
  Ring(
      Arena arena,
      Caller system,
      int requestCount,
      int answerCount,
      int bufferCount,
      int bufferBytes,
      MemorySegment buffers,
      int waitMs) {
    this.system = system;
    this.requestCount = requestCount;
    MemorySegment paramsMemory = arena.allocate(PARAMS_BYTES, 8);
    ByteBuffer params = view(paramsMemory);
    params.putInt(4, answerCount);
    params.putInt(
        8,
        SETUP_CQSIZE
            | SETUP_R_DISABLED
            | SETUP_SUBMIT_ALL
            | SETUP_SINGLE_ISSUER
            | SETUP_DEFER_TASKRUN);
    fd = system.ringSetup(requestCount, paramsMemory.address());
    if (fd < 0) {
      throw new IllegalStateException("Expected an io_uring, but got errno " + system.errno());
    }
    int features = params.getInt(20);
    if ((features & FEATURE_SINGLE_MMAP) == 0 || (features & FEATURE_REG_REG_RING) == 0) {
      system.close(fd);
      throw new IllegalStateException(
          "Expected the io_uring of Linux 6.3, but got features " + features);
    }
    waitFlags =
        ENTER_GETEVENTS
            | ENTER_EXT_ARG
            | ((features & FEATURE_NO_IOWAIT) == 0 ? 0 : ENTER_NO_IOWAIT);
    requestHeadAt = params.getInt(40);
    requestTailAt = params.getInt(44);
    int indexAt = params.getInt(64);
    answerHeadAt = params.getInt(80);
    answerTailAt = params.getInt(84);
    answerMask = answerCount - 1;
    answersAt = params.getInt(100);
    ringBytes =
        Math.max(
            indexAt + (long) requestCount * Integer.BYTES,
            answersAt + (long) answerCount * ANSWER_BYTES);
    ringAddress = LinuxSockets.map(fd, ringBytes, 0);
    requestsAddress = LinuxSockets.map(fd, (long) requestCount * REQUEST_BYTES, REQUESTS_AT);
    if (ringAddress == -1 || requestsAddress == -1) {
      system.close(fd);
      throw new IllegalStateException("Expected the rings' memory, but it cannot be mapped");
    }
    rings = view(MemorySegment.ofAddress(ringAddress).reinterpret(ringBytes));
    requests =
        view(
            MemorySegment.ofAddress(requestsAddress)
                .reinterpret((long) requestCount * REQUEST_BYTES));
    for (int i = 0; i < requestCount; i++) {
      rings.putInt(indexAt + i * Integer.BYTES, i);
    }

    this.bufferBytes = bufferBytes;
    bufferMask = bufferCount - 1;
    buffersAddress = buffers.address();
    MemorySegment bufferRingMemory = arena.allocate((long) bufferCount * BUFFER_ENTRY_BYTES, 4096);
    bufferRing = view(bufferRingMemory);
    MemorySegment registration = arena.allocate(40, 8);
    ByteBuffer asked = view(registration);
    asked.putLong(0, bufferRingMemory.address()).putInt(8, bufferCount);
    if (system.ringRegister(fd, REGISTER_PBUF_RING, registration.address(), 1) != 0) {
      int errno = system.errno();
      close();
      throw new IllegalStateException("Expected a ring of buffers, but got errno " + errno);
    }
    for (int i = 0; i < bufferCount; i++) {
      giveBack(i);
    }
    MemorySegment timespec = arena.allocate(16, 8);
    view(timespec).putLong(0, waitMs / 1000).putLong(8, waitMs % 1000 * 1_000_000L);
    waitArgument = arena.allocate(EXT_ARG_BYTES, 8);
    view(waitArgument).putLong(16, timespec.address());
  }

  private static ByteBuffer view(MemorySegment memory) {
    return memory.asByteBuffer().order(ByteOrder.nativeOrder());
  }

  /** Makes the calling thread the ring's; whether that went well. */
  boolean enable() {
    return system.ringRegister(fd, REGISTER_ENABLE_RINGS, 0, 0) == 0;
  }

  // ---- requests

  /** Fills buffers with what comes to a socket, one datagram each, until it is cancelled. */
  void receive(int socket, long messageHeader, long tag) {
    int at = next();
    head(at, OP_RECVMSG, BUFFER_SELECT, RECEIVE_MULTISHOT, socket);
    rest(at, 0, messageHeader, 1, 0, tag, 0);
  }

  /** Sends; there is an answer only if that fails. The memory must last until it is submitted. */
  void send(int socket, long address, int length, long sockaddr, int sockaddrBytes, long tag) {
    int at = next();
    head(at, OP_SEND, SKIP_SUCCESS, (short) 0, socket);
    rest(at, sockaddr, address, length, MSG_DONTWAIT, tag, (long) sockaddrBytes << 32);
  }

  /** Tells each time that a file can be read. */
  void poll(int file, long tag) {
    int at = next();
    head(at, OP_POLL_ADD, (byte) 0, (short) 0, file);
    rest(at, 0, 0, POLL_ADD_MULTISHOT, POLLIN, tag, 0);
  }

  /** Ends the request with that tag; there is an answer to this only if there is none. */
  void cancel(long tagOfRequest, long tag) {
    int at = next();
    head(at, OP_ASYNC_CANCEL, SKIP_SUCCESS, (short) 0, -1);
    rest(at, 0, tagOfRequest, 0, 0, tag, 0);
  }

  private int next() {
    if (waiting() == requestCount) {
      submit();
    }
    int at = (requestTail & requestCount - 1) * REQUEST_BYTES;
    requestTail++;
    return at;
  }

  /** Which of the {@code requestCount} places the next request has. */
  int nextPlace() {
    if (waiting() == requestCount) {
      submit();
    }
    return requestTail & requestCount - 1;
  }

  private void head(int at, byte operation, byte flags, short priority, int file) {
    requests.put(at, operation);
    requests.put(at + 1, flags);
    requests.putShort(at + 2, priority);
    requests.putInt(at + 4, file);
  }

  private void rest(
      int at, long offset, long address, int length, int flags, long tag, long bufferGroup) {
    requests.putLong(at + 8, offset);
    requests.putLong(at + 16, address);
    requests.putInt(at + 24, length);
    requests.putInt(at + 28, flags);
    requests.putLong(at + 32, tag);
    requests.putLong(at + 40, bufferGroup);
    requests.putLong(at + 48, 0);
    requests.putLong(at + 56, 0);
  }

  /** How many requests the system has not taken yet. */
  int waiting() {
    return requestTail - rings.getInt(requestHeadAt);
  }

  // ---- the system's turn

  /** Gives the system the requests, which carries out what can be done at once. */
  void submit() {
    rings.putInt(requestTailAt, requestTail);
    long ignored = LinuxSockets.ringEnter(fd, waiting(), 0, 0, 0, 0);
  }

  /**
   * Gives the system the requests, and waits for an answer, or for the time that was set; or looks
   * only what answers there are.
   *
   * @return negative when there is none, or for another reason: see {@link #look}
   */
  long submitAndWait(boolean canWait) {
    rings.putInt(requestTailAt, requestTail);
    return LinuxSockets.ringEnter(
        fd, waiting(), canWait ? 1 : 0, waitFlags, waitArgument.address(), EXT_ARG_BYTES);
  }

  /** Without waiting; 0, or errno. */
  int look() {
    rings.putInt(requestTailAt, requestTail);
    return system.ringLook(fd, waiting(), ENTER_GETEVENTS) < 0 ? system.errno() : 0;
  }

  // ---- answers

  /** How many answers there are: of index 0 and above. */
  int answers() {
    return rings.getInt(answerTailAt) - answerHead;
  }

  private int answerAt(int index) {
    return answersAt + (answerHead + index & answerMask) * ANSWER_BYTES;
  }

  long tag(int index) {
    return rings.getLong(answerAt(index));
  }

  /** Below 0 it is an errno. */
  int result(int index) {
    return rings.getInt(answerAt(index) + 8);
  }

  int flags(int index) {
    return rings.getInt(answerAt(index) + 12);
  }

  /** The buffer that was filled, of an answer that {@link #HAS_BUFFER}. */
  static int buffer(int flags) {
    return flags >>> 16;
  }

  /** Lets the system have the room of the first {@code count} answers. */
  void seen(int count) {
    answerHead += count;
    rings.putInt(answerHeadAt, answerHead);
  }

  /** Lets the system fill a buffer again. */
  void giveBack(int buffer) {
    int at = (bufferTail & bufferMask) * BUFFER_ENTRY_BYTES;
    bufferRing.putLong(at, buffersAddress + (long) buffer * bufferBytes);
    bufferRing.putInt(at + 8, bufferBytes);
    bufferRing.putShort(at + 12, (short) buffer);
    bufferTail++;
    // the ring's tail lies within its first entry
    bufferRing.putShort(14, (short) bufferTail);
  }

  void close() {
    LinuxSockets.unmap(ringAddress, ringBytes);
    LinuxSockets.unmap(requestsAddress, (long) requestCount * REQUEST_BYTES);
    system.close(fd);
  }
}
