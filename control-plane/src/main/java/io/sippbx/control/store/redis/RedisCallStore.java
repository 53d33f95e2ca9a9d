package io.sippbx.control.store.redis;

import com.google.protobuf.ByteString;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.loop.Loops;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CallRestore;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.Octets;
import io.sippbx.control.store.OutboxId;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.NodeId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Calls in Redis: one hash a call, and one run of {@code commit.lua} a commit. */
final class RedisCallStore<R> implements CallStore<R> {

  private static final byte[] COMMIT = Bytes.of("commit");
  private static final byte[] RESTORE = Bytes.of("restore");
  private static final byte[] NOTHING = new byte[0];

  private final RedisLink link;
  private final Loops loops;
  private final RecordCodec<R> codec;
  private final OutboxLimit outbox;
  private final List<LastWritten> written;

  RedisCallStore(RedisLink link, Loops loops, RecordCodec<R> codec, OutboxLimit outbox) {
    this.link = link;
    this.loops = loops;
    this.codec = codec;
    this.outbox = outbox;
    this.written = loops.all().stream().map(loop -> new LastWritten()).toList();
  }

  private LastWritten written(CallKey call) {
    return written.get(Math.floorMod(call.hashCode(), written.size()));
  }

  private Collection<String> names(CallKey call, Versioned<R> read) {
    return written(call, read.commit())
        .orElseGet(() -> codec.encode(read.record()))
        .fields()
        .keySet();
  }

  @Override
  public void read(CallKey call, Consumer<ReadAnswer<R>> answer) {
    link.ask(
        Partition.of(call).number(),
        loops.of(call.hashCode()),
        redis -> redis.hgetall(Keys.call(call)),
        reply -> answer.accept(StoredHash.read(reply, codec)));
  }

  @Override
  public void commit(CallCommit<R> commit, Consumer<CommitAnswer<R>> answer) {
    send(
        commit.call(),
        new Step<>(
            false,
            commit.read(),
            commit.id(),
            commit.expectedVersion() + 1,
            commit.record(),
            commit.read().map(read -> names(commit.call(), read)).orElse(Collections.emptyList()),
            commit.events(),
            commit.index(),
            commit.keep(),
            commit.epoch(),
            outbox.roomFor(commit)),
        answer);
  }

  @Override
  public void restore(CallRestore<R> restore, Consumer<CommitAnswer<R>> answer) {
    send(
        restore.call(),
        new Step<>(
            true,
            Optional.empty(),
            restore.ours().commit(),
            restore.ours().version(),
            Optional.of(restore.ours().record()),
            Collections.emptyList(),
            restore.events(),
            restore.index(),
            restore.keep(),
            OptionalLong.empty(),
            OptionalLong.empty()),
        answer);
  }

  @Override
  public void fold(CallKey call, CommitId commit, Supplier<R> again) {
    written(call).forget(call);
  }

  @Override
  public Optional<RecordCodec.Encoded> written(CallKey call, CommitId commit) {
    return loops.of(call.hashCode()).inLoop()
        ? Optional.ofNullable(written(call).of(call, commit))
        : Optional.empty();
  }

  @Override
  public void released(CallKey call) {
    written(call).forget(call);
  }

  @Override
  public void unfold(CallKey call, CommitId commit, RecordCodec.Encoded as) {
    written(call).committed(call, commit, as);
  }

  /** What {@code commit.lua} is told. */
  private record Step<R>(
      boolean restoring,
      Optional<Versioned<R>> read,
      CommitId id,
      long version,
      Optional<R> record,
      Collection<String> fieldsBefore,
      List<CallEvent> events,
      CallIndex index,
      Duration keep,
      OptionalLong epoch,
      OptionalLong outboxRoom) {}

  private void send(CallKey call, Step<R> step, Consumer<CommitAnswer<R>> answer) {
    Partition partition = Partition.of(call);
    Keys.OfPartition keys = Keys.of(partition);
    Loop loop = loops.of(call.hashCode());
    var args = new ScriptArgs();
    args.add(step.restoring() ? RESTORE : COMMIT);
    args.add(step.read().map(Versioned::version).orElse(0L));
    args.add(step.read().map(read -> read.commit().toString()).orElse(""));
    args.add(step.id().toString());
    args.add(step.version());
    args.add(step.keep().toMillis());
    args.add(step.epoch());
    args.add(step.record().isPresent());
    RecordCodec.@Nullable Encoded record = step.record().map(codec::encode).orElse(null);
    args.add(record == null ? NOTHING : Octets.shared(record.head()));
    args.add(call.text());
    args.add(keys.inFlightPrefix);
    args.add(keys.onMediaPrefix);
    CallIndex index = step.record().isPresent() ? step.index() : CallIndex.NONE;
    args.add(index.owner().map(owner -> owner.node().text()).orElse(""));
    args.add(index.owner().map(owner -> owner.incarnation().toString()).orElse(""));
    args.add(index.listed());
    args.add(step.outboxRoom());
    args.add(index.onMedia().size());
    for (NodeId node : index.onMedia()) {
      args.add(node.text());
    }
    args.add(index.timers().size());
    for (Map.Entry<String, Instant> timer : index.timers().entrySet()) {
      args.add(timer.getKey());
      args.add(timer.getValue().toEpochMilli());
    }
    SortedMap<String, ByteString> fields =
        record == null ? Collections.emptySortedMap() : record.fields();
    addFields(args, step.fieldsBefore(), fields);
    args.add(step.events().size());
    for (CallEvent event : step.events()) {
      args.add(event.toByteArray());
    }
    link.commit(
        partition.number(),
        loop,
        Script.COMMIT,
        new byte[][] {keys.call(call), keys.outbox, keys.timers, keys.keeper, keys.calls},
        args.toArray(),
        reply -> {
          CommitAnswer<R> said = answer(reply);
          boolean stands =
              said instanceof CommitAnswer.Applied<R>
                  || said instanceof CommitAnswer.AlreadyApplied<R>;
          if (stands && record != null) {
            written(call).committed(call, step.id(), record);
          }
          answer.accept(said);
        });
  }

  private static void addFields(
      ScriptArgs args, Collection<String> before, SortedMap<String, ByteString> now) {
    int count = args.begin();
    int added = 0;
    for (Map.Entry<String, ByteString> field : now.entrySet()) {
      if (!before.contains(field.getKey())) {
        args.add(StoredHash.FIELD + field.getKey());
        args.add(Octets.shared(field.getValue()));
        added++;
      }
    }
    args.set(count, added);
    count = args.begin();
    int gone = 0;
    for (String name : before) {
      if (!now.containsKey(name)) {
        args.add(StoredHash.FIELD + name);
        gone++;
      }
    }
    args.set(count, gone);
  }

  private CommitAnswer<R> answer(Reply reply) {
    return switch (reply) {
      case Reply.Failed failed -> new CommitAnswer.Unknown<>(failed.detail());
      case Reply.Answered answered -> {
        try {
          yield parse(Bytes.list(answered.value()));
        } catch (Bytes.UnexpectedReplyException e) {
          yield new CommitAnswer.Unknown<>("commit.lua: " + e.getMessage());
        }
      }
    };
  }

  private CommitAnswer<R> parse(List<?> said) {
    String word = Bytes.text(Bytes.at(said, 0));
    return switch (word) {
      case "applied" ->
          new CommitAnswer.Applied<>(
              Bytes.number(Bytes.at(said, 1)),
              Bytes.list(Bytes.at(said, 2)).stream()
                  .map(id -> new OutboxId(Bytes.text(id)))
                  .toList());
      case "already" ->
          new CommitAnswer.AlreadyApplied<>(
              Bytes.number(Bytes.at(said, 1)), StoredHash.outbox(Bytes.text(Bytes.at(said, 2))));
      case "conflict" -> StoredHash.conflict(Bytes.list(Bytes.at(said, 1)), codec);
      case "gone" -> new CommitAnswer.Gone<>();
      case "full" -> new CommitAnswer.Full<>(Bytes.number(Bytes.at(said, 1)));
      case "fenced" -> new CommitAnswer.Fenced<>(Bytes.number(Bytes.at(said, 1)));
      default -> new CommitAnswer.Unknown<>("commit.lua: unexpected answer " + word);
    };
  }
}
