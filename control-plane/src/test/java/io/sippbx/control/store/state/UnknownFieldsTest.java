package io.sippbx.control.store.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.sippbx.proto.state.v1.CallState;
import io.sippbx.proto.state.v1.CalleeLeg;
import io.sippbx.proto.state.v1.Counters;
import io.sippbx.proto.state.v1.Fork;
import io.sippbx.proto.state.v1.RegistrationState;
import io.sippbx.proto.state.v1.Reinvite;
import java.util.ArrayDeque;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UnknownFieldsTest {

  private static UnknownFieldSet unknown(int value) {
    return UnknownFieldSet.newBuilder()
        .addField(1000, UnknownFieldSet.Field.newBuilder().addVarint(value).build())
        .build();
  }

  private static CalleeLeg callee(int ordinal, int value) {
    return CalleeLeg.newBuilder().setOrdinal(ordinal).setUnknownFields(unknown(value)).build();
  }

  @Test
  void findsItsElementAgainWhenOthersAreGoneOrCame() throws Exception {
    CallState before =
        CallState.newBuilder().addCallees(callee(0, 10)).addCallees(callee(1, 11)).build();
    CallState after =
        CallState.newBuilder()
            .addCallees(CalleeLeg.newBuilder().setOrdinal(1).addForks(Fork.getDefaultInstance()))
            .addCallees(CalleeLeg.newBuilder().setOrdinal(2))
            .build();
    var restored =
        (CallState) UnknownFields.restore(after, UnknownFields.of(before, before.toByteString()));
    assertThat(restored.getCallees(0).getUnknownFields()).isEqualTo(unknown(11));
    assertThat(restored.getCallees(1).getUnknownFields().asMap()).isEmpty();
  }

  @Test
  void findsNothingWhereAllIsKnown() throws Exception {
    CallState all = CallState.newBuilder().setKey("a").addCallees(CalleeLeg.newBuilder()).build();
    assertThat(UnknownFields.of(all, all.toByteString())).isEmpty();
  }

  @Test
  void findsAFieldThatIsWrittenInAnotherWay() throws Exception {
    int ordinal = CalleeLeg.ORDINAL_FIELD_NUMBER;
    var otherWay =
        UnknownFieldSet.newBuilder()
            .addField(ordinal, UnknownFieldSet.Field.newBuilder().addFixed64(1).build())
            .build();
    CallState before =
        CallState.parseFrom(
            CallState.newBuilder()
                .addCallees(CalleeLeg.newBuilder().setUnknownFields(otherWay))
                .build()
                .toByteString());
    assertThat(UnknownFields.of(before, before.toByteString())).hasSize(1);
  }

  @Test
  void keepsWhatIsAtTheTopAndInSingleMessages() throws Exception {
    CallState before =
        CallState.newBuilder()
            .setCounters(Counters.newBuilder().setForks(1).setUnknownFields(unknown(1)))
            .setUnknownFields(unknown(2))
            .build();
    CallState after = CallState.newBuilder().setCounters(Counters.newBuilder().setForks(2)).build();
    var restored =
        (CallState) UnknownFields.restore(after, UnknownFields.of(before, before.toByteString()));
    assertThat(restored.getUnknownFields()).isEqualTo(unknown(2));
    assertThat(restored.getCounters().getUnknownFields()).isEqualTo(unknown(1));
    assertThat(restored.getCounters().getForks()).isEqualTo(2);
  }

  @Test
  void givesNothingOfAReInviteToTheNextOne() throws Exception {
    CallState before =
        CallState.newBuilder()
            .setReinvite(Reinvite.newBuilder().setOrdinal(1).setUnknownFields(unknown(1)))
            .build();
    var carried = UnknownFields.of(before, before.toByteString());
    CallState same =
        CallState.newBuilder().setReinvite(Reinvite.newBuilder().setOrdinal(1)).build();
    CallState next =
        CallState.newBuilder().setReinvite(Reinvite.newBuilder().setOrdinal(2)).build();
    var kept = (CallState) UnknownFields.restore(same, carried);
    assertThat(kept.getReinvite().getUnknownFields()).isEqualTo(unknown(1));
    assertThat(UnknownFields.restore(next, carried)).isEqualTo(next);
  }

  static Stream<Message> records() {
    return Stream.of(CallState.getDefaultInstance(), RegistrationState.getDefaultInstance());
  }

  @ParameterizedTest
  @MethodSource("records")
  void everyListOfMessagesTellsItsElementsApartByField1(Message record) {
    var open = new ArrayDeque<>(List.of(record.getDescriptorForType()));
    var seen = new TreeSet<String>();
    while (!open.isEmpty()) {
      var type = open.remove();
      if (!seen.add(type.getFullName())) {
        continue;
      }
      for (FieldDescriptor field : type.getFields()) {
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
          open.add(field.getMessageType());
          if (field.isRepeated()) {
            FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
            assertThat(key).as(field.getFullName()).isNotNull();
            assertThat(key.isRepeated()).as(field.getFullName()).isFalse();
            assertThat(key.getJavaType())
                .as(field.getFullName())
                .isIn(
                    FieldDescriptor.JavaType.INT,
                    FieldDescriptor.JavaType.ENUM,
                    FieldDescriptor.JavaType.LONG,
                    FieldDescriptor.JavaType.STRING);
          }
        }
      }
    }
    assertThat(seen).hasSizeGreaterThan(3);
  }
}
