package io.sippbx.control.store.redis;

import com.google.protobuf.ByteString;
import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RecordCodec;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.RegistrationStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Registrations in Redis: one hash an address-of-record, and for each partition the lists that tell
 * who is registered. A record ends in Redis' time as long after its commit as it would in the
 * committing node's, whose clock may be another.
 *
 * <p>Lists are in the order of the octets of user and host.
 */
final class RedisRegistrationStore implements RegistrationStore {

  /** Records that a count drops in each partition at most, before it counts. */
  private static final int COUNT_DROPS = 1000;

  private final RedisLink link;
  private final Loop loop;
  private final RecordCodec<Registration> codec;
  private final OutboxLimit outbox;

  RedisRegistrationStore(
      RedisLink link, Loop loop, RecordCodec<Registration> codec, OutboxLimit outbox) {
    this.link = link;
    this.loop = loop;
    this.codec = codec;
    this.outbox = outbox;
  }

  @Override
  public void read(Aor aor, Consumer<ReadAnswer<Registration>> answer) {
    link.ask(
        Partition.of(aor).number(),
        loop,
        redis -> redis.hgetall(Keys.registration(aor)),
        reply -> answer.accept(StoredHash.read(reply, codec)));
  }

  @Override
  public void commit(RegistrationCommit commit, Consumer<CommitAnswer<Registration>> answer) {
    Aor aor = commit.aor();
    Registration record = commit.record();
    Partition partition = Partition.of(aor);
    var args = new ScriptArgs();
    args.add(commit.expectedVersion());
    args.add(commit.id().toString());
    args.add(Math.max(0, Duration.between(loop.now(), record.expiresAt()).toMillis()));
    args.add(
        record
            .firstEnd()
            .map(end -> Long.toString(Math.max(0, Duration.between(loop.now(), end).toMillis())))
            .orElse(""));
    args.add(record.bindings().size());
    args.add(member(aor));
    RecordCodec.Encoded encoded = codec.encode(record);
    args.add(encoded.head().toByteArray());
    OptionalLong room = outbox.roomFor(commit);
    args.add(room.isPresent() ? Long.toString(room.getAsLong()) : "");
    args.add(commit.events().size());
    commit.events().forEach(event -> args.add(event.toByteArray()));
    for (Map.Entry<String, ByteString> field : encoded.fields().entrySet()) {
      args.add(StoredHash.FIELD + field.getKey());
      args.add(field.getValue().toByteArray());
    }
    byte[][] keys = {
      Keys.registration(aor),
      Keys.registrationNames(partition),
      Keys.registrationEnds(partition),
      Keys.registrationBindings(partition),
      Keys.registrationTotals(partition),
      Keys.outbox(partition),
      Keys.registrationDue(partition)
    };
    link.run(
        partition.number(),
        loop,
        Script.COMMIT_REGISTRATION,
        keys,
        args.toArray(),
        reply -> answer.accept(committed(reply)));
  }

  private CommitAnswer<Registration> committed(Reply reply) {
    return switch (reply) {
      case Reply.Failed failed -> new CommitAnswer.Unknown<>(failed.detail());
      case Reply.Answered answered -> {
        try {
          List<?> said = Bytes.list(answered.value());
          String word = Bytes.text(Bytes.at(said, 0));
          yield switch (word) {
            case "applied" -> new CommitAnswer.Applied<>(Bytes.number(Bytes.at(said, 1)));
            case "already" -> new CommitAnswer.AlreadyApplied<>(Bytes.number(Bytes.at(said, 1)));
            case "conflict" -> StoredHash.conflict(Bytes.list(Bytes.at(said, 1)), codec);
            case "gone" -> new CommitAnswer.Gone<>();
            case "full" -> new CommitAnswer.Full<>(Bytes.number(Bytes.at(said, 1)));
            default -> new CommitAnswer.Unknown<>("commit_registration.lua: unexpected " + word);
          };
        } catch (Bytes.UnexpectedReplyException e) {
          yield new CommitAnswer.Unknown<>("commit_registration.lua: " + e.getMessage());
        }
      }
    };
  }

  /** How lists hold an address-of-record: in their order, user before host. */
  private static byte[] member(Aor aor) {
    return Bytes.of(aor.user() + '\0' + aor.host());
  }

  private static @Nullable Aor aor(byte[] member) {
    String text = Bytes.text(member);
    int end = text.lastIndexOf('\0');
    return end < 1 || end == text.length() - 1
        ? null
        : new Aor(text.substring(0, end), text.substring(end + 1));
  }

  @Override
  public void list(Optional<Aor> after, int limit, Consumer<ListAnswer> answer) {
    if (limit < 1 || limit > MAX_PAGE) {
      throw new IllegalArgumentException(
          "Expected a limit of 1 to " + MAX_PAGE + ", but got " + limit);
    }
    new Listing(after.map(RedisRegistrationStore::member), limit, answer).begin();
  }

  /**
   * A list being made: the first names of every partition are merged, then their records are read,
   * and again for as long as records that have ended leave the page short. Lives on the loop.
   */
  private final class Listing {
    private final int limit;
    private final Consumer<ListAnswer> answer;
    private final TreeMap<byte[], byte[]> names = new TreeMap<>(Arrays::compareUnsigned);
    private final TreeMap<byte[], Entry> page = new TreeMap<>(Arrays::compareUnsigned);
    private Optional<byte[]> after;
    private int waiting;
    private @Nullable String failure;

    Listing(Optional<byte[]> after, int limit, Consumer<ListAnswer> answer) {
      this.after = after;
      this.limit = limit;
      this.answer = answer;
    }

    void begin() {
      names.clear();
      waiting = Partition.COUNT;
      Range<byte[]> range =
          Range.from(
              after.isPresent()
                  ? Range.Boundary.excluding(after.get())
                  : Range.Boundary.unbounded(),
              Range.Boundary.unbounded());
      for (int i = 0; i < Partition.COUNT; i++) {
        var partition = new Partition(i);
        link.ask(
            i,
            loop,
            redis ->
                redis.zrangebylex(Keys.registrationNames(partition), range, Limit.from(limit + 1L)),
            this::named);
      }
    }

    private void named(Reply reply) {
      switch (reply) {
        case Reply.Failed failed -> failure = failed.detail();
        case Reply.Answered answered -> {
          for (Object each : Bytes.list(answered.value())) {
            byte[] name = Bytes.octets(each);
            names.put(name, name);
          }
          // No more than one page and one is ever kept.
          while (names.size() > limit + 1) {
            names.pollLastEntry();
          }
        }
      }
      if (--waiting == 0) {
        readNext();
      }
    }

    private void readNext() {
      var wanted = new ArrayList<byte[]>();
      while (failure == null && !names.isEmpty() && page.size() + wanted.size() <= limit) {
        wanted.add(names.pollFirstEntry().getKey());
      }
      if (wanted.isEmpty()) {
        finish();
        return;
      }
      after = Optional.of(wanted.getLast());
      boolean last = names.isEmpty() && wanted.size() + page.size() <= limit;
      waiting = wanted.size();
      for (byte[] name : wanted) {
        Aor aor = aor(name);
        if (aor == null) {
          loop.execute(() -> recorded(name, null, new ReadAnswer.Absent<>(), last));
        } else {
          read(aor, record -> recorded(name, aor, record, last));
        }
      }
    }

    private void recorded(
        byte[] name, @Nullable Aor aor, ReadAnswer<Registration> record, boolean last) {
      switch (record) {
        case ReadAnswer.Found<Registration>(var current) -> {
          if (aor != null) {
            page.put(name, new Entry(aor, current));
          }
        }
        case ReadAnswer.Absent<Registration> absent -> {}
        case ReadAnswer.Unavailable<Registration>(var detail) -> failure = detail;
      }
      if (--waiting == 0) {
        if (failure != null || page.size() > limit || last) {
          finish();
        } else {
          begin();
        }
      }
    }

    private void finish() {
      if (failure != null) {
        answer.accept(new ListAnswer.Unavailable(failure));
        return;
      }
      boolean more = page.size() > limit;
      if (more) {
        page.pollLastEntry();
      }
      answer.accept(new ListAnswer.Page(List.copyOf(page.values()), more));
    }
  }

  @Override
  public void claimExpired(Partition partition, int limit, Consumer<ExpiredAnswer> answer) {
    if (limit < 1 || limit > MAX_PAGE) {
      throw new IllegalArgumentException(
          "Expected a limit of 1 to " + MAX_PAGE + ", but got " + limit);
    }
    var args = new ScriptArgs();
    args.add(limit);
    args.add(PartitionStore.CLAIM.toMillis());
    byte[][] keys = {Keys.registrationDue(partition), Keys.registrationEnds(partition)};
    link.run(
        partition.number(),
        loop,
        Script.CLAIM_EXPIRED,
        keys,
        args.toArray(),
        reply -> answer.accept(claimed(reply)));
  }

  private static ExpiredAnswer claimed(Reply reply) {
    return switch (reply) {
      case Reply.Failed failed -> new ExpiredAnswer.Unavailable(failed.detail());
      case Reply.Answered answered -> {
        try {
          List<?> said = Bytes.list(answered.value());
          var aors = new ArrayList<Aor>();
          for (Object each : Bytes.list(Bytes.at(said, 1))) {
            Aor aor = aor(Bytes.octets(each));
            if (aor != null) {
              aors.add(aor);
            }
          }
          yield new ExpiredAnswer.Due(aors, Bytes.number(Bytes.at(said, 0)) == 1);
        } catch (Bytes.UnexpectedReplyException e) {
          yield new ExpiredAnswer.Unavailable("claim_expired.lua: " + e.getMessage());
        }
      }
    };
  }

  @Override
  public void count(Consumer<CountAnswer> answer) {
    var counting = new Counting(answer);
    for (int i = 0; i < Partition.COUNT; i++) {
      var partition = new Partition(i);
      var args = new ScriptArgs();
      args.add(COUNT_DROPS);
      byte[][] keys = {
        Keys.registrationNames(partition),
        Keys.registrationEnds(partition),
        Keys.registrationBindings(partition),
        Keys.registrationTotals(partition)
      };
      link.run(i, loop, Script.COUNT_REGISTRATIONS, keys, args.toArray(), counting::counted);
    }
  }

  /** A count being made; lives on the loop. */
  private static final class Counting {
    private final Consumer<CountAnswer> answer;
    private int waiting = Partition.COUNT;
    private long registered;
    private long bindings;
    private @Nullable String failure;

    Counting(Consumer<CountAnswer> answer) {
      this.answer = answer;
    }

    void counted(Reply reply) {
      switch (reply) {
        case Reply.Failed failed -> failure = failed.detail();
        case Reply.Answered answered -> {
          List<?> said = Bytes.list(answered.value());
          registered += Bytes.number(Bytes.at(said, 0));
          bindings += Bytes.number(Bytes.at(said, 1));
        }
      }
      if (--waiting == 0) {
        answer.accept(
            failure != null
                ? new CountAnswer.Unavailable(failure)
                : new CountAnswer.Counts(registered, bindings));
      }
    }
  }
}
