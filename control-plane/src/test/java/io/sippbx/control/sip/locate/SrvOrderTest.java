package io.sippbx.control.sip.locate;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.control.sip.locate.Dns.Data.Srv;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("the order of SRV records (RFC 2782)")
class SrvOrderTest {

  private static Srv srv(int priority, int weight, String target) {
    return new Srv(priority, weight, 5060, target);
  }

  private static List<String> targets(List<Srv> records) {
    return records.stream().map(Srv::target).toList();
  }

  @Test
  void putsTheLowerPriorityFirstWhateverTheWeights() {
    var records = List.of(srv(20, 65_535, "c"), srv(10, 0, "a"), srv(15, 1, "b"));
    assertThat(targets(SrvOrder.of(records, bound -> bound - 1))).containsExactly("a", "b", "c");
  }

  @Test
  void drawsByTheRunningSumOfTheWeights() {
    var records = List.of(srv(1, 10, "a"), srv(1, 0, "zero"), srv(1, 30, "b"));
    assertThat(targets(SrvOrder.of(records, bound -> 0))).containsExactly("zero", "a", "b");
    assertThat(targets(SrvOrder.of(records, bound -> Math.min(1, bound - 1))))
        .containsExactly("a", "b", "zero");
    assertThat(targets(SrvOrder.of(records, bound -> Math.min(10, bound - 1))))
        .startsWith("a", "b");
    assertThat(targets(SrvOrder.of(records, bound -> Math.min(11, bound - 1))))
        .startsWith("b", "a");
  }

  @Test
  void givesEachItsShare() {
    var random = new Random(7);
    var records = List.of(srv(1, 75, "often"), srv(1, 25, "seldom"), srv(1, 0, "hardly"));
    int often = 0;
    int hardly = 0;
    for (int i = 0; i < 10_000; i++) {
      String first = SrvOrder.of(records, random::nextInt).getFirst().target();
      often += first.equals("often") ? 1 : 0;
      hardly += first.equals("hardly") ? 1 : 0;
    }
    assertThat(often).isBetween(7_200, 7_800);
    assertThat(hardly).isBetween(1, 300);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void keepsEveryRecordOnceAndPrioritiesInOrder(long seed) {
    var random = new Random(seed);
    for (int round = 0; round < 100; round++) {
      var records = new ArrayList<Srv>();
      int count = random.nextInt(12);
      for (int i = 0; i < count; i++) {
        records.add(srv(random.nextInt(3), random.nextInt(4) * 16_000, "h" + i));
      }
      List<Srv> ordered = SrvOrder.of(records, random::nextInt);
      assertThat(ordered).containsExactlyInAnyOrderElementsOf(records);
      assertThat(ordered.stream().map(Srv::priority).toList()).isSorted();
    }
  }
}
