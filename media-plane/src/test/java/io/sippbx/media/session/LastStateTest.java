package io.sippbx.media.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.media.port.LocalAddress;
import io.sippbx.media.port.PortPair;
import io.sippbx.media.relay.SessionCounts;
import io.sippbx.media.relay.SessionCounts.EndCounts;
import io.sippbx.media.testkit.Specs;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LastStateTest {

  private static final CallKey CALL = Specs.call(1);
  private static final List<IpAddress> ADDRESSES =
      List.of(IpAddress.of("192.0.2.1"), IpAddress.of("198.51.100.7"));
  private static final List<IpAddress> ADDRESSES_6 =
      List.of(IpAddress.of("2001:db8::1"), IpAddress.of("2001:db8::7"));
  private static final long[] EXTREMES = {
    0, 1, -1, 63, 64, -64, -65, 8_191, 8_192, Long.MAX_VALUE, Long.MIN_VALUE,
  };

  static LongStream seeds() {
    return LongStream.range(0, 200);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void isReadAsItWasWritten(long seed) {
    SessionState state = state(new Random(seed));
    assertThat(LastState.ofOctets(CALL, LastState.toOctets(state))).isEqualTo(state);
  }

  @Test
  void isReadWhenNothingIsKnownOfTheSession() {
    SessionState none = SessionState.none(CALL, Long.MAX_VALUE);
    assertThat(LastState.ofOctets(CALL, LastState.toOctets(none))).isEqualTo(none);
  }

  /** A call of three minutes, both ways, with RTCP: most of it is where the ends are. */
  @Test
  void takesFewOctets() {
    var endpoint = Optional.of(new Endpoint(ADDRESSES.getFirst(), 40_000));
    var counts =
        new EndCounts(
            9_000,
            1_548_000,
            12,
            31,
            8_000,
            36,
            0,
            1,
            0,
            0,
            0,
            2,
            0,
            9_000,
            1_548_000,
            36,
            4,
            50,
            endpoint,
            endpoint,
            OptionalLong.of(System.nanoTime()));
    var end =
        new SessionState.LocalEnd(
            new PortPair(LocalAddress.of(ADDRESSES.getFirst()), 20_000), false);
    var state =
        new SessionState(
            CALL,
            3,
            true,
            false,
            List.of(
                new SessionState.Stream(
                    0, end, end, Optional.of(new SessionCounts.Stream(0, counts, counts)))));
    assertThat(LastState.toOctets(state)).hasSizeLessThan(180);
  }

  private static SessionState state(Random random) {
    var streams = new ArrayList<SessionState.Stream>();
    for (int i = random.nextInt(4); i > 0; i--) {
      int index = random.nextInt(1_000);
      streams.add(
          new SessionState.Stream(
              index,
              end(random),
              end(random),
              random.nextBoolean()
                  ? Optional.of(new SessionCounts.Stream(index, counts(random), counts(random)))
                  : Optional.empty()));
    }
    return new SessionState(
        CALL, number(random), random.nextBoolean(), random.nextBoolean(), streams);
  }

  private static SessionState.LocalEnd end(Random random) {
    List<IpAddress> addresses = random.nextBoolean() ? ADDRESSES : ADDRESSES_6;
    var address = new LocalAddress(addresses.get(random.nextInt(2)), addresses.get(1));
    return new SessionState.LocalEnd(
        new PortPair(address, 2 * random.nextInt(32_768)), random.nextBoolean());
  }

  private static EndCounts counts(Random random) {
    return new EndCounts(
        number(random),
        number(random),
        number(random),
        number(random),
        (int) number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        number(random),
        endpoint(random),
        endpoint(random),
        random.nextBoolean() ? OptionalLong.of(number(random)) : OptionalLong.empty());
  }

  private static Optional<Endpoint> endpoint(Random random) {
    List<IpAddress> addresses = random.nextBoolean() ? ADDRESSES : ADDRESSES_6;
    return random.nextBoolean()
        ? Optional.of(new Endpoint(addresses.get(random.nextInt(2)), random.nextInt(65_536)))
        : Optional.empty();
  }

  private static long number(Random random) {
    return random.nextBoolean()
        ? EXTREMES[random.nextInt(EXTREMES.length)]
        : random.nextLong() >> random.nextInt(64);
  }
}
