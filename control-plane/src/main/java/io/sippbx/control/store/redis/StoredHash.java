package io.sippbx.control.store.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A record as it stands in Redis: a hash of version, commit, head and fields. */
final class StoredHash {

  /** What the names of fields begin with. */
  static final String FIELD = "f:";

  private StoredHash() {}

  static List<OutboxId> outbox(String ids) {
    var found = new ArrayList<OutboxId>();
    for (String each : ids.split(" ", -1)) {
      if (!each.isEmpty()) {
        found.add(new OutboxId(each));
      }
    }
    return found;
  }

  /** What HGETALL says. */
  static <R> ReadAnswer<R> read(Reply reply, RecordCodec<R> codec) {
    return switch (reply) {
      case Reply.Failed failed -> new ReadAnswer.Unavailable<>(failed.detail());
      case Reply.Answered answered -> {
        if (!(answered.value() instanceof Map<?, ?> hash)) {
          yield new ReadAnswer.Unavailable<>("HGETALL: unexpected answer");
        }
        if (hash.isEmpty()) {
          yield new ReadAnswer.Absent<>();
        }
        var flat = new ArrayList<Object>();
        hash.forEach(
            (name, value) -> {
              flat.add(name);
              flat.add(value);
            });
        try {
          yield switch (decode(flat, codec)) {
            case Stands<R>(var current) -> new ReadAnswer.Found<>(current);
            case Unreadable<R>(var reason) -> new ReadAnswer.Unavailable<>(reason);
          };
        } catch (Bytes.UnexpectedReplyException e) {
          yield new ReadAnswer.Unavailable<>("record: " + e.getMessage());
        }
      }
    };
  }

  /** What a script says that found another record. */
  static <R> CommitAnswer<R> conflict(List<?> flat, RecordCodec<R> codec) {
    return switch (decode(flat, codec)) {
      case Stands<R>(var current) -> new CommitAnswer.Conflict<>(current);
      case Unreadable<R>(var reason) -> new CommitAnswer.Unknown<>(reason);
    };
  }

  private sealed interface Decoded<R> {}

  private record Stands<R>(Versioned<R> current) implements Decoded<R> {}

  private record Unreadable<R>(String reason) implements Decoded<R> {}

  private static <R> Decoded<R> decode(List<?> flat, RecordCodec<R> codec) {
    long version = 0;
    CommitId commit = null;
    ByteString head = null;
    String node = "";
    String incarnation = "";
    var fields = new TreeMap<String, ByteString>();
    for (int i = 0; i + 1 < flat.size(); i += 2) {
      String name = Bytes.text(Bytes.at(flat, i));
      Object value = Bytes.at(flat, i + 1);
      if (name.startsWith(FIELD)) {
        fields.put(name.substring(FIELD.length()), Bytes.owned(value));
      } else if (name.equals("v")) {
        version = Bytes.number(value);
      } else if (name.equals("c")) {
        commit = commitId(Bytes.octets(value));
      } else if (name.equals("h")) {
        head = Bytes.owned(value);
      } else if (name.equals("i")) {
        node = Bytes.text(value);
      } else if (name.equals("n")) {
        incarnation = Bytes.text(value);
      }
    }
    if (version < 1 || commit == null || head == null) {
      return new Unreadable<>("the record has no version, commit or head");
    }
    return switch (codec.decode(new RecordCodec.Encoded(head, fields))) {
      case RecordCodec.Read<R>(var record) ->
          new Stands<>(new Versioned<>(version, commit, record, owner(node, incarnation)));
      case RecordCodec.TooNew<R>(var minReader) ->
          new Unreadable<>(
              "the record is for nodes of version " + minReader + " of the schema or later");
      case RecordCodec.Unreadable<R>(var reason) ->
          new Unreadable<>("the record cannot be read: " + reason);
    };
  }

  /** Records of before starts were told apart name a node: that start of it is not alive. */
  private static Optional<Member> owner(String node, String incarnation) {
    if (node.isEmpty()) {
      return Optional.empty();
    }
    try {
      long start = incarnation.isEmpty() ? 0 : Long.parseUnsignedLong(incarnation, 16);
      return Optional.of(new Member(new NodeId(node), new Incarnation(start)));
    } catch (IllegalArgumentException e) {
      throw new Bytes.UnexpectedReplyException("an owner", node + "/" + incarnation, e);
    }
  }

  private static @Nullable CommitId commitId(byte[] hex) {
    try {
      return new CommitId(Long.parseUnsignedLong(new String(hex, UTF_8), 16));
    } catch (NumberFormatException e) {
      return null;
    }
  }
}
