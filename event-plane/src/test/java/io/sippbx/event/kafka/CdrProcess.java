package io.sippbx.event.kafka;

import io.sippbx.event.cdr.CdrWriter;
import io.sippbx.shared.config.CdrConfig;
import io.sippbx.shared.config.ConfigLoader;
import io.sippbx.shared.config.HostPort;
import io.sippbx.shared.config.KafkaConfig;
import io.sippbx.shared.kafka.KafkaAccess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;

/** A process that makes records of what comes from Kafka, for a test to kill. */
final class CdrProcess {

  private CdrProcess() {}

  static KafkaConfig kafka(int port, int partitions) {
    KafkaConfig defaults = ConfigLoader.defaults().kafka();
    return new KafkaConfig(
        List.of(new HostPort("127.0.0.1", port)),
        Optional.empty(),
        defaults.login(),
        new KafkaConfig.Topics(
            "calls",
            "registrations",
            true,
            partitions,
            Optional.empty(),
            defaults.topics().retention()),
        defaults.maxInFlight());
  }

  static CdrConfig cdr(Path folder) {
    return new CdrConfig(
        true,
        folder,
        false,
        "cdr-%Y-%m-%d.jsonl",
        CdrConfig.Rotation.DAILY,
        ZoneOffset.UTC,
        Optional.empty(),
        Optional.empty(),
        1_000,
        List.of(),
        Optional.empty());
  }

  /** Arguments: the broker's port, partitions, the folder. Ends when its input does. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[2]);
    KafkaConfig kafka = kafka(Integer.parseInt(arguments[0]), Integer.parseInt(arguments[1]));
    var settings =
        new KafkaPump.Settings(
            "cdr", KafkaAccess.of(kafka), kafka.topics(), KafkaConfig.Topic.CALLS, List.of());
    try (CdrWriter writer = CdrWriter.start(folder, cdr(folder), Clock.systemUTC());
        KafkaPump pump =
            KafkaPump.start(settings, writer, new Checkpoint(folder.resolve("checkpoint")))) {
      System.out.println("started " + pump.isConnected());
      int end = System.in.read();
      System.out.println("ends with " + end);
    }
  }
}
