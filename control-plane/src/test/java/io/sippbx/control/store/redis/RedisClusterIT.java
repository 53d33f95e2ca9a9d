package io.sippbx.control.store.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.cluster.Beat;
import io.sippbx.control.cluster.Census;
import io.sippbx.control.cluster.ClusterStore;
import io.sippbx.control.store.CallCommit;
import io.sippbx.control.store.CallIndex;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.LimitStore;
import io.sippbx.control.store.OutboxLimit;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.event.v1.CallEvent;
import io.sippbx.servers.Ports;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.Member;
import io.sippbx.shared.identity.NodeId;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A real Redis Cluster of three masters. */
class RedisClusterIT {

  private final List<RedisServer> servers = new ArrayList<>();

  @BeforeEach
  void startCluster() throws IOException {
    for (int i = 0; i < 3; i++) {
      int port = clusterPort();
      servers.add(
          RedisServer.process(
              port,
              List.of(
                  "--cluster-enabled",
                  "yes",
                  "--cluster-node-timeout",
                  "3000",
                  "--cluster-require-full-coverage",
                  "no")));
    }
    int[] bounds = {0, 5461, 10923, 16384};
    for (int i = 0; i < 3; i++) {
      var command = new ArrayList<>(List.of("CLUSTER", "ADDSLOTS"));
      for (int slot = bounds[i]; slot < bounds[i + 1]; slot++) {
        command.add("" + slot);
      }
      assertThat(servers.get(i).ask(command.toArray(String[]::new))).startsWith("+OK");
      servers.get(0).ask("CLUSTER", "MEET", "127.0.0.1", "" + servers.get(i).port());
    }
    RedisServer.await(
        "the cluster to form", 20_000, () -> servers.stream().allMatch(RedisClusterIT::knowsAll));
  }

  /** The bus listens 10,000 above the port. */
  private static int clusterPort() throws IOException {
    int port = Ports.free();
    while (!Ports.isFree(port + 10_000)) {
      port = Ports.free();
    }
    return port;
  }

  private static boolean knowsAll(RedisServer server) {
    try {
      String info = server.ask("CLUSTER", "INFO");
      return info.contains("cluster_state:ok")
          && info.contains("cluster_known_nodes:3")
          && info.contains("cluster_slots_ok:16384");
    } catch (IOException e) {
      return false;
    }
  }

  @AfterEach
  void stopCluster() throws IOException {
    for (RedisServer each : servers) {
      each.close();
    }
  }

  private RedisSettings settings() {
    return RedisSettings.of(
        new RedisAddress.Cluster(
            servers.stream().map(each -> new RedisAddress.Host("127.0.0.1", each.port())).toList(),
            false));
  }

  /** A call of each partition. */
  private static CallKey call(int partition) {
    var octets = new byte[16];
    octets[0] = (byte) (partition << 2);
    return CallKey.ofBytes(octets);
  }

  private static Member owner(long id) {
    return new Member(new NodeId("n" + id % 2), new Incarnation(id));
  }

  private static CallCommit<String> commit(
      int partition, Optional<Versioned<String>> read, long id) {
    var timers = new TreeMap<String, Instant>();
    timers.put("retry", Instant.EPOCH.plusSeconds(1));
    return new CallCommit<>(
        call(partition),
        read,
        new CommitId(id),
        Optional.of("r" + id),
        List.of(CallEvent.newBuilder().setEventId("e" + id).build()),
        new CallIndex(Optional.of(owner(id)), List.of(new NodeId("m" + id % 2)), timers),
        Duration.ofHours(1),
        OptionalLong.empty());
  }

  @Test
  void commitsCallsOfAllPartitionsEachInOneSlot() throws Exception {
    try (var real = new RealStore(settings())) {
      CallStore<String> calls = real.store().calls(new RedisFailureIT.Text(), OutboxLimit.NONE);
      PartitionStore partitions = real.store().partitions();
      for (int p = 0; p < Partition.COUNT; p++) {
        int number = p;
        CommitAnswer<String> first =
            real.<CommitAnswer<String>>ask(
                answer -> calls.commit(commit(number, Optional.empty(), 1), answer));
        assertThat(first).as("partition %d", p).isInstanceOf(CommitAnswer.Applied.class);
        var read = Optional.of(new Versioned<>(1, new CommitId(1), "r1"));
        CommitAnswer<String> second =
            real.<CommitAnswer<String>>ask(answer -> calls.commit(commit(number, read, 2), answer));
        assertThat(second).as("partition %d", p).isInstanceOf(CommitAnswer.Applied.class);
        assertThat(real.<ReadAnswer<String>>ask(answer -> calls.read(call(number), answer)))
            .isEqualTo(
                new ReadAnswer.Found<>(
                    new Versioned<>(2, new CommitId(2), "r2", Optional.of(owner(2)))));
        PartitionStore.Answer<PartitionStore.DueTimer> due =
            real.<PartitionStore.Answer<PartitionStore.DueTimer>>ask(
                answer ->
                    partitions.claimTimers(
                        new Partition(number), OptionalLong.empty(), 10, answer));
        assertThat(due)
            .isEqualTo(
                new PartitionStore.Batch<>(
                    List.of(
                        new PartitionStore.DueTimer(
                            call(number), "retry", Instant.EPOCH.plusSeconds(1))),
                    false));
      }
      assertThat(
              real.<LimitStore.LeaseAnswer>ask(
                  answer ->
                      real.store()
                          .limits()
                          .take("trunk-1", call(1), 1, Duration.ofMinutes(1), answer)))
          .isEqualTo(new LimitStore.Held(1));
      for (RedisServer each : servers) {
        assertThat(each.ask("DBSIZE")).as("keys on each master").isNotEqualTo(":0\r\n");
      }
    }
  }

  @Test
  void keepsMembersInOneSlotAndKeepersInThoseOfTheirPartitions() throws Exception {
    try (var real = new RealStore(settings())) {
      ClusterStore cluster = real.store().cluster(real.loop());
      var beat = new Beat(new NodeId("a"), new Incarnation(-1), 1, false);
      var all = new ArrayList<Partition>();
      assertThat(
              real.<ClusterStore.Beating>ask(
                  answer -> cluster.beat(beat, Duration.ofMinutes(1), answer)))
          .isEqualTo(new ClusterStore.Beating.Acknowledged());
      assertThat(real.<ClusterStore.Answer<Census>>ask(cluster::census))
          .isEqualTo(
              new ClusterStore.Answer.Found<>(new Census(List.of(beat), List.of(), List.of())));
      for (int p = 0; p < Partition.COUNT; p++) {
        var partition = new Partition(p);
        all.add(partition);
        ClusterStore.Keeping said =
            real.<ClusterStore.Keeping>ask(
                answer -> cluster.keep(partition, beat.member(), List.of(), answer));
        assertThat(said).isInstanceOf(ClusterStore.Keeping.Held.class);
        assertThat(((ClusterStore.Keeping.Held) said).by(beat.member())).isTrue();
      }
      assertThat(
              real.<ClusterStore.Answer<Member>>ask(answer -> cluster.leave(beat.member(), answer)))
          .isEqualTo(new ClusterStore.Answer.Found<>(beat.member()));
      assertThat(
              real.<ClusterStore.Answer<Integer>>ask(
                  answer -> cluster.swept(beat.member(), all, answer)))
          .isEqualTo(new ClusterStore.Answer.Found<>(0));
      assertThat(real.<ClusterStore.Answer<Census>>ask(cluster::census))
          .isEqualTo(new ClusterStore.Answer.Found<>(new Census(List.of(), List.of(), List.of())));
    }
  }

  /** One master of three that says nothing takes only its own partitions with it. */
  @Test
  void servesTheOtherPartitionsWhileAMasterIsPaused() throws Exception {
    try (var real = new RealStore(settings())) {
      CallStore<String> calls = real.store().calls(new RedisFailureIT.Text(), OutboxLimit.NONE);
      for (int p = 0; p < Partition.COUNT; p++) {
        int number = p;
        CommitAnswer<String> first =
            real.<CommitAnswer<String>>ask(
                answer -> calls.commit(commit(number, Optional.empty(), 1), answer));
        assertThat(first).as("partition %d", p).isInstanceOf(CommitAnswer.Applied.class);
      }
      servers.getFirst().pause();
      int served = 0;
      int unknown = 0;
      for (int p = 0; p < Partition.COUNT; p += 4) {
        int number = p;
        ReadAnswer<String> answer =
            real.<ReadAnswer<String>>ask(each -> calls.read(call(number), each));
        served += answer instanceof ReadAnswer.Found ? 1 : 0;
        unknown += answer instanceof ReadAnswer.Unavailable ? 1 : 0;
      }
      assertThat(served).isBetween(6, 14);
      assertThat(unknown).isEqualTo(16 - served);
      servers.getFirst().resume();
      RedisServer.await(
          "all partitions to be served again",
          20_000,
          () -> {
            for (int p = 0; p < Partition.COUNT; p += 4) {
              int number = p;
              if (!(real.<ReadAnswer<String>>ask(each -> calls.read(call(number), each))
                  instanceof ReadAnswer.Found)) {
                return false;
              }
            }
            return true;
          });
    }
  }
}
