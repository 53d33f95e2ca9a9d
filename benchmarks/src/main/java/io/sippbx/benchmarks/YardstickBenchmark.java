package io.sippbx.benchmarks;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Work that never changes: what the other benchmarks take is told as a multiple of it, since the
 * speed of a machine that others use changes from minute to minute.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 4, time = 1)
@Fork(1)
public class YardstickBenchmark {

  private static final int WORDS = 64;
  private static final String TEXT =
      "the octets of a message of some length, looked at one by one ".repeat(WORDS / 4);

  private final byte[] octets = TEXT.getBytes(StandardCharsets.US_ASCII);
  private final MessageDigest digest;

  /** With the digest that every JDK has. */
  public YardstickBenchmark() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A thousand octets digested, scanned for blanks, and their words put into a sorted map. */
  @Benchmark
  public Object yardstick() {
    var words = new TreeMap<String, Integer>();
    int begin = 0;
    for (int i = 0; i < octets.length; i++) {
      if (octets[i] == ' ') {
        words.merge(
            new String(octets, begin, i - begin, StandardCharsets.US_ASCII), 1, Integer::sum);
        begin = i + 1;
      }
    }
    return words.size() + digest.digest(octets)[0];
  }
}
