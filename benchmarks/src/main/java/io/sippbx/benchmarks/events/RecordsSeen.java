package io.sippbx.benchmarks.events;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Reads the lines of a folder's records as they come. Used by one thread. */
final class RecordsSeen {

  private static final String KEY = "\"call_key\":\"";

  private final Path folder;
  private final Map<Path, Long> read = new LinkedHashMap<>();

  RecordsSeen(Path folder) {
    this.folder = folder;
  }

  /** The calls of lines that are new since the last time. */
  List<String> next() {
    var calls = new ArrayList<String>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".jsonl")).sorted().toList()) {
        read(file, calls);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return calls;
  }

  private void read(Path file, List<String> calls) throws IOException {
    long from = read.getOrDefault(file, 0L);
    long there = Files.size(file);
    if (there == from) {
      return;
    }
    var octets = new byte[Math.toIntExact(there - from)];
    try (var open = new RandomAccessFile(file.toFile(), "r")) {
      open.seek(from);
      open.readFully(octets);
    }
    String text = new String(octets, StandardCharsets.ISO_8859_1);
    int whole = text.lastIndexOf('\n') + 1;
    for (String line : text.substring(0, whole).split("\n", -1)) {
      int at = line.indexOf(KEY);
      if (at >= 0) {
        calls.add(line.substring(at + KEY.length(), line.indexOf('"', at + KEY.length())));
      }
    }
    read.put(file, from + whole);
  }
}
