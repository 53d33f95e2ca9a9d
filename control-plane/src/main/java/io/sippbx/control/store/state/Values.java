package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.sippbx.control.sip.message.Branch;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transaction.ServerTransactionId;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.proto.state.v1.Address;
import io.sippbx.proto.state.v1.Protocol;
import io.sippbx.proto.state.v1.ServerTransaction;
import io.sippbx.proto.state.v1.SpareDestination;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The small values that calls and registrations have in common. */
final class Values {

  private static final EnumTable<TransportProtocol, Protocol> PROTOCOLS =
      new EnumTable<>(TransportProtocol.class, Protocol.class, "PROTOCOL_");

  private Values() {}

  static Timestamp stored(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  static Instant instant(Timestamp at) {
    return Instant.ofEpochSecond(at.getSeconds(), at.getNanos());
  }

  static ByteString stored(IpAddress ip) {
    return ByteString.copyFrom(ip.octets());
  }

  static IpAddress ip(ByteString octets) {
    if (octets.size() != 4 && octets.size() != 16) {
      throw new UnreadableException("Expected 4 or 16 octets of an address, got " + octets.size());
    }
    return IpAddress.ofOctets(octets.toByteArray());
  }

  static Address stored(Endpoint endpoint) {
    return Address.newBuilder().setIp(stored(endpoint.ip())).setPort(endpoint.port()).build();
  }

  static Endpoint endpoint(Address address) {
    return new Endpoint(ip(address.getIp()), address.getPort());
  }

  static io.sippbx.proto.state.v1.Flow stored(Flow flow) {
    var form =
        io.sippbx.proto.state.v1.Flow.newBuilder()
            .setProtocol(PROTOCOLS.stored(flow.protocol()))
            .setLocal(stored(flow.local()))
            .setRemote(stored(flow.remote()))
            .setConnection(flow.connection())
            .setAccepted(flow.accepted());
    flow.holder().ifPresent(holder -> form.setHolder(stored(holder)));
    return form.build();
  }

  static Flow flow(io.sippbx.proto.state.v1.Flow flow) {
    return new Flow(
        PROTOCOLS.domain(flow.getProtocol()),
        endpoint(flow.getLocal()),
        endpoint(flow.getRemote()),
        flow.getConnection(),
        flow.getAccepted(),
        flow.hasHolder() ? Optional.of(member(flow.getHolder())) : Optional.empty());
  }

  private static io.sippbx.proto.state.v1.Member stored(Member member) {
    return io.sippbx.proto.state.v1.Member.newBuilder()
        .setNode(member.node().text())
        .setIncarnation(member.incarnation().value())
        .build();
  }

  private static Member member(io.sippbx.proto.state.v1.Member form) {
    return new Member(new NodeId(form.getNode()), new Incarnation(form.getIncarnation()));
  }

  static io.sippbx.proto.state.v1.Destination stored(Destination destination) {
    var form =
        io.sippbx.proto.state.v1.Destination.newBuilder()
            .setProtocol(PROTOCOLS.stored(destination.protocol()))
            .setRemote(stored(destination.remote()))
            .setOnlyFlow(destination.onlyFlow());
    destination.flow().ifPresent(flow -> form.setFlow(stored(flow)));
    destination.device().ifPresent(device -> form.setDevice(stored(device)));
    return form.build();
  }

  private static io.sippbx.proto.state.v1.Device stored(Device device) {
    return io.sippbx.proto.state.v1.Device.newBuilder()
        .setUser(device.user())
        .setHost(device.host())
        .setInstance(device.instance().orElse(""))
        .build();
  }

  private static Device device(io.sippbx.proto.state.v1.Device form) {
    return new Device(
        form.getUser(),
        form.getHost(),
        Optional.of(form.getInstance()).filter(instance -> !instance.isEmpty()));
  }

  static Destination destination(io.sippbx.proto.state.v1.Destination form) {
    return new Destination(
        PROTOCOLS.domain(form.getProtocol()),
        endpoint(form.getRemote()),
        form.hasFlow() ? Optional.of(flow(form.getFlow())) : Optional.empty(),
        form.getOnlyFlow(),
        form.hasDevice() ? Optional.of(device(form.getDevice())) : Optional.empty());
  }

  static List<SpareDestination> storedSpare(List<Destination> spare) {
    var forms = new ArrayList<SpareDestination>();
    int remaining = spare.size();
    for (Destination each : spare) {
      forms.add(
          SpareDestination.newBuilder()
              .setRemaining(remaining--)
              .setDestination(stored(each))
              .build());
    }
    return forms;
  }

  static List<Destination> spare(List<SpareDestination> forms) {
    return forms.stream().map(form -> destination(form.getDestination())).toList();
  }

  static ServerTransaction stored(ServerTransactionId id) {
    return ServerTransaction.newBuilder()
        .setBranch(id.branch().value())
        .setSentBy(id.sentBy())
        .setMethod(id.method().name())
        .build();
  }

  static ServerTransactionId transaction(ServerTransaction form) {
    return new ServerTransactionId(
        new Branch(form.getBranch()), form.getSentBy(), new Method(form.getMethod()));
  }

  static List<String> stored(List<NameAddr> addresses) {
    var texts = new ArrayList<String>(addresses.size());
    for (NameAddr each : addresses) {
      texts.add(each.toString());
    }
    return texts;
  }

  static NameAddr nameAddr(String text) {
    return NameAddr.parse(text)
        .orElseThrow(() -> new UnreadableException("Expected an address, but got " + text));
  }

  static List<NameAddr> nameAddrs(List<String> texts) {
    var addresses = new ArrayList<NameAddr>(texts.size());
    for (String each : texts) {
      addresses.add(nameAddr(each));
    }
    return addresses;
  }

  static Uri uri(String text) {
    return Uri.parse(text)
        .orElseThrow(() -> new UnreadableException("Expected a URI, but got " + text));
  }
}
