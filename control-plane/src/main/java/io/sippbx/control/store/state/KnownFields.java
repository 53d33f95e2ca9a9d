package io.sippbx.control.store.state;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The fields that this version of the schema knows of one type of message, and of those within it:
 * what tells without making any message whether octets hold others. Of use from any thread.
 */
final class KnownFields {

  private static final Map<Descriptor, KnownFields> OF_RECORDS = new ConcurrentHashMap<>();

  /** By their numbers; null where there is none. */
  private final @Nullable Field[] fields;

  /**
   * A field.
   *
   * @param within what is known within it, where it is a message
   */
  private record Field(int wireType, boolean packable, @Nullable KnownFields within) {

    boolean isWrittenAs(int type) {
      return type == wireType || packable && type == WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }
  }

  private KnownFields(Descriptor type, Map<Descriptor, KnownFields> known) {
    List<FieldDescriptor> all = type.getFields();
    fields = new Field[all.stream().mapToInt(FieldDescriptor::getNumber).max().orElse(0) + 1];
    // A message may hold others of its own type.
    known.put(type, this);
    for (FieldDescriptor each : all) {
      KnownFields within = null;
      if (each.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        within = known.get(each.getMessageType());
        within = within == null ? new KnownFields(each.getMessageType(), known) : within;
      }
      fields[each.getNumber()] =
          new Field(each.getLiteType().getWireType(), each.isPackable(), within);
    }
  }

  static KnownFields of(Descriptor record) {
    KnownFields known = OF_RECORDS.get(record);
    if (known == null) {
      known = new KnownFields(record, new LinkedHashMap<>());
      OF_RECORDS.put(record, known);
    }
    return known;
  }

  /**
   * Whether there is no other field in a message, at any level.
   *
   * @param octets of which a message of this type was parsed
   */
  boolean areAll(ByteString octets) throws InvalidProtocolBufferException {
    try {
      return areAll(octets.newCodedInput());
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
  }

  private boolean areAll(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int number = WireFormat.getTagFieldNumber(tag);
      Field field = number < fields.length ? fields[number] : null;
      if (field == null || !field.isWrittenAs(WireFormat.getTagWireType(tag))) {
        return false;
      }
      KnownFields within = field.within();
      if (within == null) {
        in.skipField(tag);
      } else {
        int limit = in.pushLimit(in.readRawVarint32());
        if (!within.areAll(in)) {
          return false;
        }
        in.popLimit(limit);
      }
    }
    return true;
  }
}
