package io.sippbx.control.store.redis;

import io.sippbx.control.cluster.Announced;
import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.Partition;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import io.sippbx.shared.net.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Heartbeats and keepers in Redis. All that is of members has one hash tag, so that a census is one
 * moment's in a Redis Cluster too; a partition's keeper has the partition's.
 */
final class RedisClusterStore implements ClusterStore {

  /** Heartbeats must not be held up by what becomes of others' keys. */
  static final int LANE = Partition.COUNT + 1;

  /** That a member went by itself is of use until others have looked. */
  private static final Duration LEFT = SWEPT;

  private final RedisLink link;
  private final Loop loop;

  RedisClusterStore(RedisLink link, Loop loop) {
    this.link = link;
    this.loop = loop;
  }

  @Override
  public void beat(Beat beat, Duration expiry, Consumer<Beating> answer) {
    Member member = beat.member();
    var args = new ScriptArgs();
    args.add(member.toString());
    args.add(member.incarnation().toString());
    args.add(beat.sequence());
    args.add(beat.leaving() ? 1 : 0);
    args.add(expiry.toMillis());
    args.add(MAX_FORMER);
    args.add(MAX_MEMBERS);
    args.add(beat.announced().mesh().map(Endpoint::toString).orElse(""));
    args.add(beat.announced().sip());
    byte[][] keys = {Keys.node(member.node()), Keys.MEMBERS, Keys.left(member), Keys.swept(member)};
    run(
        LANE,
        Script.BEAT,
        keys,
        args,
        RedisClusterStore::beating,
        Beating.Unavailable::new,
        answer);
  }

  private static Beating beating(List<?> said) {
    return Bytes.text(Bytes.at(said, 0)).equals("superseded")
        ? new Beating.Superseded(incarnation(Bytes.at(said, 1)))
        : new Beating.Acknowledged();
  }

  @Override
  public void census(Consumer<Answer<Census>> answer) {
    var args = new ScriptArgs();
    args.add(Keys.NODE_PREFIX);
    args.add(Keys.LEFT_PREFIX);
    ask(Script.CENSUS, new byte[][] {Keys.MEMBERS}, args, RedisClusterStore::census, answer);
  }

  private static Census census(List<?> said) {
    var beating = new ArrayList<Beat>();
    var lapsed = new ArrayList<Member>();
    var left = new ArrayList<Member>();
    for (Object each : said) {
      List<?> entry = Bytes.list(each);
      Member member = member(entry, 0);
      switch (Bytes.text(Bytes.at(entry, 2))) {
        case "beats" ->
            beating.add(
                new Beat(
                    member.node(),
                    member.incarnation(),
                    Math.max(1, Bytes.number(Bytes.at(entry, 3))),
                    Bytes.number(Bytes.at(entry, 4)) == 1,
                    announced(entry)));
        case "left" -> left.add(member);
        case "lapsed" -> lapsed.add(member);
        default -> throw new Bytes.UnexpectedReplyException("a member's state", entry);
      }
    }
    beating.sort((one, other) -> one.member().compareTo(other.member()));
    lapsed.sort(null);
    left.sort(null);
    return new Census(beating, lapsed, left);
  }

  private static Announced announced(List<?> entry) {
    String mesh = Bytes.text(Bytes.at(entry, 5));
    String sip = Bytes.text(Bytes.at(entry, 6));
    if (mesh.isEmpty() && sip.isEmpty()) {
      return Announced.NOTHING;
    }
    if (mesh.isEmpty()) {
      return new Announced(Optional.empty(), sip);
    }
    return new Announced(
        Optional.of(
            Endpoint.parse(mesh)
                .orElseThrow(
                    () -> new Bytes.UnexpectedReplyException("an address of the mesh", mesh))),
        sip);
  }

  @Override
  public void leave(Member member, Consumer<Answer<Member>> answer) {
    var args = new ScriptArgs();
    args.add(member.toString());
    args.add(member.incarnation().toString());
    args.add(LEFT.toMillis());
    byte[][] keys = {Keys.node(member.node()), Keys.MEMBERS, Keys.left(member)};
    ask(Script.LEAVE, keys, args, said -> member, answer);
  }

  @Override
  public void swept(Member dead, List<Partition> partitions, Consumer<Answer<Integer>> answer) {
    ClusterStore.checkSwept(partitions);
    var args = new ScriptArgs();
    args.add(dead.toString());
    args.add(dead.incarnation().toString());
    args.add(Partition.COUNT);
    args.add(SWEPT.toMillis());
    partitions.forEach(partition -> args.add(partition.number()));
    byte[][] keys = {Keys.node(dead.node()), Keys.MEMBERS, Keys.left(dead), Keys.swept(dead)};
    ask(Script.SWEPT, keys, args, said -> Math.toIntExact(Bytes.number(Bytes.at(said, 0))), answer);
  }

  @Override
  public void keep(
      Partition partition, Member member, List<Member> living, Consumer<Keeping> answer) {
    keeper("keep", partition, member, living, answer);
  }

  @Override
  public void giveUp(Partition partition, Member member, Consumer<Keeping> answer) {
    keeper("give-up", partition, member, List.of(), answer);
  }

  private void keeper(
      String what,
      Partition partition,
      Member member,
      List<Member> living,
      Consumer<Keeping> answer) {
    var args = new ScriptArgs();
    args.add(what);
    args.add(member.node().text());
    args.add(member.incarnation().toString());
    for (Member each : living) {
      args.add(each.node().text());
      args.add(each.incarnation().toString());
    }
    run(
        partition.number(),
        Script.KEEP,
        new byte[][] {Keys.keeper(partition)},
        args,
        RedisClusterStore::keeping,
        Keeping.Unavailable::new,
        answer);
  }

  private static Keeping keeping(List<?> said) {
    long epoch = Bytes.number(Bytes.at(said, 0));
    return new Keeping.Held(
        said.size() < 3 ? Optional.empty() : Optional.of(member(said, 1)), epoch);
  }

  private static Member member(List<?> said, int at) {
    String node = Bytes.text(Bytes.at(said, at));
    try {
      return new Member(new NodeId(node), incarnation(Bytes.at(said, at + 1)));
    } catch (IllegalArgumentException e) {
      throw new Bytes.UnexpectedReplyException("a node's name", node, e);
    }
  }

  private static Incarnation incarnation(Object said) {
    String digits = Bytes.text(said);
    try {
      return new Incarnation(Long.parseUnsignedLong(digits, 16));
    } catch (NumberFormatException e) {
      throw new Bytes.UnexpectedReplyException("an incarnation", digits, e);
    }
  }

  private <T> void ask(
      Script script,
      byte[][] keys,
      ScriptArgs args,
      Function<List<?>, T> parse,
      Consumer<Answer<T>> answer) {
    run(
        LANE,
        script,
        keys,
        args,
        said -> new Answer.Found<>(parse.apply(said)),
        Answer.Unavailable::new,
        answer);
  }

  private <A> void run(
      int lane,
      Script script,
      byte[][] keys,
      ScriptArgs args,
      Function<List<?>, A> parse,
      Function<String, A> failed,
      Consumer<A> answer) {
    link.run(
        lane,
        loop,
        script,
        keys,
        args.toArray(),
        reply -> answer.accept(said(script, reply, parse, failed)));
  }

  private static <A> A said(
      Script script, Reply reply, Function<List<?>, A> parse, Function<String, A> failed) {
    return switch (reply) {
      case Reply.Failed(String detail) -> failed.apply(detail);
      case Reply.Answered(Object value) -> {
        try {
          yield parse.apply(Bytes.list(value));
        } catch (Bytes.UnexpectedReplyException e) {
          yield failed.apply(script.name() + ".lua: " + e.getMessage());
        }
      }
    };
  }
}
