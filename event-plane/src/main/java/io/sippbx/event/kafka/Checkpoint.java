package io.sippbx.event.kafka;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Positions in a file beside what was made of the events, so that both are of one disk and one
 * backup. It is replaced as a whole: written aside, forced, renamed.
 */
public final class Checkpoint implements Positions {

  private static final Logger log = LoggerFactory.getLogger(Checkpoint.class);
  private static final JsonFactory JSON = new JsonFactory();
  private static final int VERSION = 1;
  private static final long MAX_BYTES = 4 << 20;

  private final Path file;

  /**
   * In this file; its folder exists.
   *
   * @param file is made when there is something to be remembered
   */
  public Checkpoint(Path file) {
    this.file = file;
  }

  @Override
  public Map<Integer, Long> load(String topicId) throws IOException {
    if (!Files.exists(file)) {
      return new TreeMap<>();
    }
    if (Files.size(file) > MAX_BYTES) {
      throw new IOException(file + ": expected a checkpoint of at most " + MAX_BYTES + " bytes");
    }
    var positions = new TreeMap<Integer, Long>();
    String ofTopic = "";
    int version = 0;
    try (JsonParser json = JSON.createParser(Files.readAllBytes(file))) {
      expect(json.nextToken() == JsonToken.START_OBJECT);
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "version" -> version = json.getIntValue();
          case "topic_id" -> ofTopic = json.getText();
          case "positions" -> {
            expect(json.currentToken() == JsonToken.START_OBJECT);
            while (json.nextToken() == JsonToken.FIELD_NAME) {
              int partition = Integer.parseInt(json.currentName());
              json.nextToken();
              positions.put(partition, json.getLongValue());
            }
          }
          default -> json.skipChildren();
        }
      }
      expect(json.currentToken() == JsonToken.END_OBJECT && version == VERSION);
    } catch (IOException | NumberFormatException e) {
      // It is replaced as a whole: this is not a write that was cut.
      throw new IOException(file + ": expected a checkpoint of version " + VERSION + ", " + e, e);
    }
    if (!ofTopic.equals(topicId)) {
      log.atWarn().addKeyValue("file", file).log("kafka.other-topic");
      return new TreeMap<>();
    }
    return positions;
  }

  private static void expect(boolean condition) throws IOException {
    if (!condition) {
      throw new IOException("but it is something else");
    }
  }

  @Override
  public void store(String topicId, Map<Integer, Long> positions) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeNumberField("version", VERSION);
      json.writeStringField("topic_id", topicId);
      json.writeObjectFieldStart("positions");
      for (Map.Entry<Integer, Long> each : new TreeMap<>(positions).entrySet()) {
        json.writeNumberField(each.getKey().toString(), each.getValue());
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer all = ByteBuffer.wrap(bytes.toByteArray());
      while (all.hasRemaining()) {
        channel.write(all);
      }
      channel.force(true);
    }
    // The old one or the new one: a rename that is lost in a crash only means more repeats.
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
