package io.sippbx.control.call;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.sun.management.ThreadMXBean;
import io.sippbx.control.media.MediaEvent;
import io.sippbx.control.media.PayloadForm;
import io.sippbx.control.sip.message.HeaderName;
import io.sippbx.control.sip.message.Method;
import io.sippbx.control.sip.message.NameAddr;
import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.transport.Device;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.InMemoryCallStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.RecordCodec.Decoded;
import io.sippbx.control.store.RecordCodec.Encoded;
import io.sippbx.control.store.Versioned;
import io.sippbx.control.store.state.CallCodec;
import io.sippbx.control.testkit.VirtualLoops;
import io.sippbx.proto.state.v1.CallState;
import io.sippbx.proto.state.v1.StateProto;
import io.sippbx.shared.identity.NodeId;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the stored form of a call")
class CallCodecTest {

  private static final CallCodec CODEC = new CallCodec();
  private static final Path GOLDEN = Path.of("src/test/resources/golden/state");

  /** Octets: 15,300 as it is, 20,500 where addresses of dialogs are written anew each time. */
  private static final long MOST_ALLOCATED = 18_000;

  private static final String WRITE = "sippbx.golden.write";

  private static Call ringing() {
    var scene = new Scene();
    scene.begin().mediaHolds();
    return scene.callee(0, 183, "bob", Scene.offer("192.0.2.20", 50000)).call.orElseThrow();
  }

  private static Call up() {
    return settledLater(new Scene().up().call.orElseThrow());
  }

  /** As it was when the golden bytes were written: 2 s after it had become quiet. */
  private static Call settledLater(Call call) {
    TimerId settle = TimerId.of(TimerId.Kind.SETTLE);
    return call.withTimer(settle, requireNonNull(call.timers().get(settle)).plusSeconds(2));
  }

  /** Both phones are known by their instance. */
  private static Call registered() {
    var scene = new Scene();
    scene.invite =
        scene.invite.toBuilder()
            .removeHeaders(HeaderName.CONTACT)
            .contact(
                NameAddr.parse("<sip:1004@192.0.2.10:5060>;+sip.instance=\"<urn:uuid:a>\"")
                    .orElseThrow())
            .build();
    Target bob = Scene.target(0);
    var device = Optional.of(new Device("1008", "pbx.example", Optional.of("urn:uuid:b")));
    var hops = bob.hops().stream().map(hop -> hop.of(device)).toList();
    scene.begin(List.of(List.of(new Target(bob.uri(), bob.routes(), hops)))).mediaHolds();
    scene.callee(0, 180, "bob", "").callee(0, 200, "bob", Scene.offer("192.0.2.20", 50000));
    Call call = scene.mediaHolds().callerAck("").call.orElseThrow();
    Call.Legs legs = call.legs().orElseThrow();
    assertThat(legs.callee().dialog().hop().device()).isEqualTo(device);
    assertThat(legs.caller().dialog().hop().device().flatMap(Device::instance))
        .contains("urn:uuid:a");
    return settledLater(call);
  }

  /** One leg has been told, and has asked for a moment; the other is being told. */
  private static Call moving() {
    var scene = new Scene().up();
    var lost = new MediaEvent.NodeLost(scene.key(), Scene.MEDIA_NODE);
    scene.apply(new Input.MediaHappened(lost));
    scene.apply(new Input.MediaPlaced(Scene.MEDIA_NODE, true, Optional.of(new NodeId("media-2"))));
    scene.mediaIp = "198.51.100.3";
    scene.mediaHolds();
    SipRequest toCaller = scene.call.orElseThrow().renewals().getFirst().sent().orElseThrow();
    scene.response(Scene.answer(toCaller, 491, "", "", b -> b), List.of());
    return scene.call.orElseThrow();
  }

  private static Call known(Decoded<Call> decoded) {
    return ((RecordCodec.Read<Call>) decoded).record();
  }

  /** Each commit writes the whole call: what has not changed since the last is not named again. */
  @Test
  void namesAMessageOnce() {
    Call warm = up();
    for (int i = 0; i < 200; i++) {
      assertThat(CODEC.encode(warm).fields()).isNotEmpty();
    }
    assertThat(allocatedByEncoding(warm))
        .as("octets allocated by writing down a call whose messages were written down before")
        .isLessThan(MOST_ALLOCATED);
  }

  private static long allocatedByEncoding(Call call) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    Encoded encoded = CODEC.encode(call);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(encoded.fields()).isNotEmpty();
    return allocated;
  }

  @Nested
  @DisplayName("golden bytes: what was ever written is read for ever")
  class Golden {
    @Test
    void ofACallThatRings() {
      holds("call-ringing.v1", ringing());
    }

    @Test
    void ofACallThatIsUp() {
      holds("call-up.v1", up());
    }

    @Test
    void ofACallThatLeavesItsMediaNode() {
      holds("call-moving.v2", moving());
    }

    @Test
    void ofACallOfRegisteredPhones() {
      holds("call-registered.v1", registered());
    }

    /** Written before a call knew which nodes it had been on. */
    @ParameterizedTest
    @ValueSource(
        strings = {"call-ringing.v1.no-trail", "call-up.v1.no-trail", "call-moving.v2.no-trail"})
    void ofCallsWithoutATrailAreRead(String name) throws IOException {
      Call call = known(CODEC.decode(stored(Files.readAllBytes(GOLDEN.resolve(name)))));
      assertThat(call.facts().trail())
          .isEqualTo(
              new Call.Trail(
                  "", Optional.empty(), false, call.facts().startedAt(), 0, Optional.empty()));
    }

    @Test
    void isReadByWhoKnowsNoMovesUntilThereIsOne() throws IOException {
      assertThat(CallState.parseFrom(CODEC.encode(up()).head()).getMinReader()).isEqualTo(1);
      assertThat(CallState.parseFrom(CODEC.encode(moving()).head()).getMinReader()).isEqualTo(2);
    }

    private void holds(String name, Call call) {
      Path file = GOLDEN.resolve(name);
      byte[] now = file(CODEC.encode(call));
      try {
        if (Boolean.getBoolean(WRITE)) {
          Files.createDirectories(GOLDEN);
          Files.write(file, now);
        }
        byte[] golden = Files.readAllBytes(file);
        assertThat(CODEC.decode(stored(golden))).isEqualTo(new RecordCodec.Read<>(call));
        assertThat(now)
            .as("changed: raise the version and keep the old file, or -D" + WRITE + "=true")
            .isEqualTo(golden);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Nested
  @DisplayName("a newer build of the schema, with one more field in each message")
  class RollingUpgrade {
    private final Newer newer = new Newer();

    @Test
    void whatTheNewerWroteSurvivesTheOlder() {
      var scene = new Scene().up().fires(TimerId.Kind.SETTLE, 0);
      Encoded written = CODEC.encode(scene.call.orElseThrow());
      Message extended = newer.extend(written.head());
      Call read = known(CODEC.decode(newer.head(extended, written)));
      scene.call = Optional.of(read);
      scene.request(scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000)));

      Message again = newer.parse(CODEC.encode(scene.call.orElseThrow()).head());
      Set<String> before = newer.places(extended);
      Set<String> after = newer.places(again);
      assertThat(before).hasSizeGreaterThan(20);
      assertThat(after).containsAll(before);
      // What the older node added itself has nothing of the newer one's.
      assertThat(again.getField(newer.field(again, "reinvite"))).isNotNull();
    }

    @Test
    void theTwoTakeTurnsWithOneCallInAStore() {
      var store = new Turns();
      store.commits(new Scene().up().fires(TimerId.Kind.SETTLE, 0), true);
      Set<String> first = store.novelties();
      assertThat(first).hasSizeGreaterThan(20);

      // The older takes it over in the middle of a re-INVITE that the newer has begun.
      store.commits(
          store
              .takenOver()
              .request(
                  store.scene.callerRequest(Method.INVITE, 2, Scene.offer("192.0.2.10", 42000))),
          true);
      Set<String> second = store.novelties();
      assertThat(second).containsAll(first).hasSizeGreaterThan(first.size());
      store.commits(store.takenOver(), false);
      assertThat(store.novelties()).containsAll(second);

      // Each goes on with what the other has left.
      store.commits(store.takenOver(), true);
      assertThat(store.novelties()).containsAll(second);
      store.commits(store.takenOver(), false);
      assertThat(store.novelties()).containsAll(second);
      assertThat(store.read().version()).isEqualTo(5);
      assertThat(store.read().record().reinvite()).isPresent();
    }

    /** A node of each build at one store, with a call that they have in turn. */
    private final class Turns {
      private final VirtualLoops time = VirtualLoops.inOrder();
      private final InMemoryCallStore<Encoded> store =
          new InMemoryCallStore<>(time.loops("store", 1));
      private Scene scene = new Scene();
      private Optional<Versioned<Encoded>> last = Optional.empty();

      /** What stands there, as either node reads it. */
      private Versioned<Call> read() {
        var answers = new ArrayList<ReadAnswer<Encoded>>();
        store.read(scene.key(), answers::add);
        time.runReady();
        if (answers.getFirst() instanceof ReadAnswer.Found<Encoded>(Versioned<Encoded> current)) {
          last = Optional.of(current);
          return new Versioned<>(
              current.version(), current.commit(), known(CODEC.decode(current.record())));
        }
        throw new AssertionError("Expected the record, but got " + answers);
      }

      /** A node that knows nothing of the call but its record has it now. */
      private Scene takenOver() {
        scene.call = Optional.of(read().record());
        return scene.apply(new Input.TakenOver());
      }

      private void commits(Scene after, boolean isNewer) {
        scene = after;
        Encoded written = CODEC.encode(after.call.orElseThrow());
        var answers = new ArrayList<CommitAnswer<Encoded>>();
        store.commit(
            new CallCommit<>(
                after.key(),
                last,
                new CommitId(last.map(Versioned::version).orElse(0L) + 1),
                Optional.of(isNewer ? newer.head(newer.extend(written.head()), written) : written),
                List.of()),
            answers::add);
        time.runReady();
        assertThat(answers).singleElement().isInstanceOf(CommitAnswer.Applied.class);
      }

      /** Where in the stored record something is that only the newer build knows of. */
      private Set<String> novelties() {
        read();
        return newer.places(newer.parse(last.orElseThrow().record().head()));
      }
    }

    @Test
    void theOlderReadsItAsItsOwn() {
      Call call = ringing();
      Encoded written = CODEC.encode(call);
      Call read = known(CODEC.decode(newer.head(newer.extend(written.head()), written)));
      assertThat(read.callees()).isEqualTo(call.callees());
      assertThat(read.carried().fields()).isNotEmpty();
    }

    @Test
    void aRecordThatIsNotForTheOlderIsToldApart() {
      Call call = up();
      Encoded written = CODEC.encode(call);
      ByteString head = written.head();
      int later = CallCodec.VERSION + 1;
      try {
        head = CallState.parseFrom(head).toBuilder().setMinReader(later).build().toByteString();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      assertThat(CODEC.decode(new Encoded(head, written.fields())))
          .isEqualTo(new RecordCodec.TooNew<>(later));
    }
  }

  @Nested
  @DisplayName("what no node would have written")
  class Unreadable {
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void neverThrows(long seed) {
      var random = new Random(seed);
      Call call = random.nextBoolean() ? up() : ringing();
      Encoded written = CODEC.encode(call);
      for (int i = 0; i < 500; i++) {
        byte[] head = written.head().toByteArray();
        for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
          head[random.nextInt(head.length)] = (byte) random.nextInt(256);
        }
        Decoded<Call> decoded =
            CODEC.decode(new Encoded(ByteString.copyFrom(head), written.fields()));
        assertThat(decoded).isNotNull();
      }
    }

    @Test
    void namesTheBlobThatIsMissing() {
      Call call = up();
      Encoded written = CODEC.encode(call);
      var blobs = new TreeMap<>(written.fields());
      String gone = blobs.firstKey();
      blobs.remove(gone);
      assertThat(CODEC.decode(new Encoded(written.head(), blobs)))
          .isEqualTo(new RecordCodec.Unreadable<>("Expected blob " + gone));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "audio 42000 UDP/TLS/RTP/SAVPF 0, DTLS_SRTP",
    "image 42000 udptl t38, DATAGRAMS",
    "audio 42000 RTP/AVP 0, RTP"
  })
  void keepsWhatTheDatagramsOfAStreamAre(String line, PayloadForm form) {
    var scene = new Scene().up();
    String offer =
        Scene.offer("192.0.2.10", 42000)
            .replaceFirst("m=audio 42000 RTP/AVP[^\r]*", "m=image 0 udptl t38\r\nm=" + line);
    scene.request(scene.callerRequest(Method.INVITE, 2, offer));
    Call call = scene.call.orElseThrow();
    Call read = known(CODEC.decode(CODEC.encode(call)));
    assertThat(read.media()).isEqualTo(call.media());
    assertThat(read.media().plan().streams().getLast().form()).isEqualTo(form);
  }

  @Test
  void storesAMessageOnceHoweverOftenItIsNamed() {
    Encoded before = CODEC.encode(ringing());
    Set<String> names = new HashSet<>(before.fields().keySet());
    names.retainAll(CODEC.encode(up()).fields().keySet());
    assertThat(names).as("the caller's INVITE and ours").hasSizeGreaterThanOrEqualTo(2);
  }

  private static byte[] file(Encoded stored) {
    var octets = new ByteArrayOutputStream();
    try (var out = new DataOutputStream(octets)) {
      out.writeInt(stored.head().size());
      stored.head().writeTo(out);
      for (Map.Entry<String, ByteString> each : stored.fields().entrySet()) {
        out.writeUTF(each.getKey());
        out.writeInt(each.getValue().size());
        each.getValue().writeTo(out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return octets.toByteArray();
  }

  private static Encoded stored(byte[] file) {
    try (var in = new DataInputStream(new ByteArrayInputStream(file))) {
      ByteString head = ByteString.copyFrom(in.readNBytes(in.readInt()));
      var blobs = new TreeMap<String, ByteString>();
      while (in.available() > 0) {
        blobs.put(in.readUTF(), ByteString.copyFrom(in.readNBytes(in.readInt())));
      }
      return new Encoded(head, blobs);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The schema of a build to come: each message has a field 2000 that this build knows not of. */
  private static final class Newer {
    private static final int FIELD = 2000;
    private final Descriptor call;

    Newer() {
      FileDescriptorProto known = StateProto.getDescriptor().toProto();
      FileDescriptorProto.Builder next = known.toBuilder();
      for (DescriptorProto.Builder each : next.getMessageTypeBuilderList()) {
        each.addField(
            FieldDescriptorProto.newBuilder()
                .setName("novelty")
                .setNumber(FIELD)
                .setType(FieldDescriptorProto.Type.TYPE_STRING)
                .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL));
      }
      try {
        FileDescriptor file =
            FileDescriptor.buildFrom(
                next.build(), new FileDescriptor[] {Timestamp.getDescriptor().getFile()});
        call = file.findMessageTypeByName("CallState");
      } catch (DescriptorValidationException e) {
        throw new IllegalStateException(e);
      }
    }

    Message parse(ByteString head) {
      try {
        return DynamicMessage.parseFrom(call, head);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The record with its novelty at every place. */
    Message extend(ByteString head) {
      return extend(parse(head), "");
    }

    private Message extend(Message message, String place) {
      Message.Builder builder = message.toBuilder();
      for (FieldDescriptor field : message.getAllFields().keySet()) {
        if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
          continue;
        }
        if (field.isRepeated()) {
          for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
            builder.setRepeatedField(
                field,
                i,
                extend(
                    (Message) message.getRepeatedField(field, i),
                    place + "/" + field.getName() + "[" + i + "]"));
          }
        } else {
          builder.setField(
              field, extend((Message) message.getField(field), place + "/" + field.getName()));
        }
      }
      FieldDescriptor novelty = message.getDescriptorForType().findFieldByNumber(FIELD);
      if (novelty != null) {
        builder.setField(novelty, "at " + place);
      }
      return builder.build();
    }

    Encoded head(Message extended, Encoded written) {
      return new Encoded(extended.toByteString(), written.fields());
    }

    /** Where the novelty is. */
    Set<String> places(Message message) {
      var found = new HashSet<String>();
      collect(message, found);
      return found;
    }

    private void collect(Message message, Set<String> found) {
      FieldDescriptor novelty = message.getDescriptorForType().findFieldByNumber(FIELD);
      if (novelty != null && message.hasField(novelty)) {
        found.add((String) message.getField(novelty));
      }
      for (FieldDescriptor field : message.getAllFields().keySet()) {
        if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
          continue;
        }
        if (field.isRepeated()) {
          for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
            collect((Message) message.getRepeatedField(field, i), found);
          }
        } else {
          collect((Message) message.getField(field), found);
        }
      }
    }

    FieldDescriptor field(Message message, String name) {
      return message.getDescriptorForType().findFieldByName(name);
    }
  }
}
