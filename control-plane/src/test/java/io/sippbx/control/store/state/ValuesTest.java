package io.sippbx.control.store.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the stored form of a flow")
class ValuesTest {

  private static final Flow OLD =
      Flow.accepted(
          TransportProtocol.TCP,
          new Endpoint(IpAddress.parse("192.0.2.1").orElseThrow(), 5060),
          new Endpoint(IpAddress.parse("192.0.2.9").orElseThrow(), 40_000),
          7);
  private static final Flow HELD =
      OLD.heldBy(Optional.of(new Member(new NodeId("node-1"), new Incarnation(-2))));
  private static final String OLD_BYTES =
      "080212090a04c000020110c4271a0a0a04c000020910c0b80221070000000000000028" + "01";
  private static final String HELD_BYTES = OLD_BYTES + "32110a066e6f64652d3111feffffffffffffff";

  @Test
  @DisplayName("golden bytes, without a holder as before there were several nodes")
  void isReadAsItWasWritten() throws InvalidProtocolBufferException {
    assertThat(read(OLD_BYTES)).isEqualTo(OLD);
    assertThat(read(HELD_BYTES)).isEqualTo(HELD);
    assertThat(HexFormat.of().formatHex(Values.stored(OLD).toByteArray())).isEqualTo(OLD_BYTES);
    assertThat(HexFormat.of().formatHex(Values.stored(HELD).toByteArray())).isEqualTo(HELD_BYTES);
  }

  private static Flow read(String hex) throws InvalidProtocolBufferException {
    return Values.flow(io.sippbx.proto.state.v1.Flow.parseFrom(HexFormat.of().parseHex(hex)));
  }
}
