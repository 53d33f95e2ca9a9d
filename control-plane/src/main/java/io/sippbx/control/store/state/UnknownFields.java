package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Fields that this version of the schema does not know, by their place: {@code /3[1]/8[0]} is in
 * the element of field 8 whose field 1 is 0, within the element of field 3 whose field 1 is 1. A
 * message that stands alone but is one of several in time has an ordinal as field 1, by which it is
 * told apart too: what a re-INVITE carried is not the next one's. An element that is not there any
 * more takes with it what it carried.
 */
final class UnknownFields {

  // What tells the elements of a list apart.
  private static final int KEY_FIELD = 1;

  private static final String ORDINAL = "ordinal";

  private UnknownFields() {}

  /**
   * What is unknown at any level of {@code message}.
   *
   * @param octets that it was parsed from. Nearly always there is nothing in them that is unknown,
   *     which their tags tell sooner than looking at each field by reflection
   */
  static SortedMap<String, ByteString> of(Message message, ByteString octets)
      throws InvalidProtocolBufferException {
    if (KnownFields.of(message.getDescriptorForType()).areAll(octets)) {
      return Collections.emptySortedMap();
    }
    var found = new TreeMap<String, ByteString>();
    collect(message, "", found);
    return found;
  }

  private static void collect(Message message, String place, SortedMap<String, ByteString> found) {
    ByteString unknown = message.getUnknownFields().toByteString();
    if (!unknown.isEmpty()) {
      found.put(place, unknown);
    }
    for (Map.Entry<FieldDescriptor, Object> each : message.getAllFields().entrySet()) {
      FieldDescriptor field = each.getKey();
      if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
        continue;
      }
      if (field.isRepeated()) {
        for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
          Message element = (Message) message.getRepeatedField(field, i);
          collect(element, place(place, field, element), found);
        }
      } else {
        Message element = (Message) each.getValue();
        collect(element, single(place, field, element), found);
      }
    }
  }

  /** {@code message} with each of the fields at its place, where there is such a place. */
  static Message restore(Message message, SortedMap<String, ByteString> fields) {
    return fields.isEmpty() ? message : restore(message, "", fields);
  }

  private static Message restore(
      Message message, String place, SortedMap<String, ByteString> fields) {
    Message.Builder builder = message.toBuilder();
    ByteString unknown = fields.get(place);
    if (unknown != null) {
      builder.setUnknownFields(parse(unknown));
    }
    for (Map.Entry<FieldDescriptor, Object> each : message.getAllFields().entrySet()) {
      FieldDescriptor field = each.getKey();
      if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
        continue;
      }
      if (field.isRepeated()) {
        for (int i = 0; i < message.getRepeatedFieldCount(field); i++) {
          Message element = (Message) message.getRepeatedField(field, i);
          builder.setRepeatedField(
              field, i, restore(element, place(place, field, element), fields));
        }
      } else {
        Message element = (Message) each.getValue();
        builder.setField(field, restore(element, single(place, field, element), fields));
      }
    }
    return builder.build();
  }

  private static UnknownFieldSet parse(ByteString unknown) {
    try {
      return UnknownFieldSet.parseFrom(unknown);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("Expected the fields that were written before", e);
    }
  }

  private static String place(String parent, FieldDescriptor field) {
    return parent + "/" + field.getNumber();
  }

  private static String single(String parent, FieldDescriptor field, Message element) {
    FieldDescriptor key = element.getDescriptorForType().findFieldByNumber(KEY_FIELD);
    boolean isNumbered = key != null && key.getName().equals(ORDINAL);
    return isNumbered ? place(parent, field, element) : place(parent, field);
  }

  private static String place(String parent, FieldDescriptor field, Message element) {
    FieldDescriptor key = element.getDescriptorForType().findFieldByNumber(KEY_FIELD);
    return place(parent, field) + "[" + element.getField(key) + "]";
  }
}
