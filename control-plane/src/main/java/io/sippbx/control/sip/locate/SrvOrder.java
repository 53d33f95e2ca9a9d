package io.sippbx.control.sip.locate;

import io.sippbx.control.sip.locate.Dns.Data.Srv;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * The order in which SRV records are tried. Pure.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc2782">RFC 2782, "Weight"</a>
 */
final class SrvOrder {

  private SrvOrder() {}

  /**
   * By priority, and within one drawn by weight without putting back: each next one with the chance
   * of its weight among those left.
   *
   * @param random gives for n a number from 0 to n - 1
   */
  static List<Srv> of(List<Srv> records, IntUnaryOperator random) {
    var sorted = new ArrayList<>(records);
    // Those of weight 0 stand first, as RFC 2782 asks, so that they are drawn by a 0 only.
    sorted.sort(
        Comparator.comparingInt(Srv::priority)
            .thenComparingInt(record -> record.weight() == 0 ? 0 : 1));
    var ordered = new ArrayList<Srv>(sorted.size());
    int from = 0;
    while (from < sorted.size()) {
      int to = from;
      while (to < sorted.size() && sorted.get(to).priority() == sorted.get(from).priority()) {
        to++;
      }
      draw(new ArrayList<>(sorted.subList(from, to)), random, ordered);
      from = to;
    }
    return List.copyOf(ordered);
  }

  private static void draw(List<Srv> left, IntUnaryOperator random, List<Srv> ordered) {
    while (!left.isEmpty()) {
      int sum = 0;
      for (Srv record : left) {
        sum += record.weight();
      }
      int drawn = random.applyAsInt(sum + 1);
      int running = 0;
      int index = 0;
      while (index < left.size() - 1) {
        running += left.get(index).weight();
        if (running >= drawn) {
          break;
        }
        index++;
      }
      ordered.add(left.remove(index));
    }
  }
}
