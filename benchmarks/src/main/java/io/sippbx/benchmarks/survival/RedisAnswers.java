package io.sippbx.benchmarks.survival;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Asks a Redis one thing, over a connection of its own. */
final class RedisAnswers {

  private static final int CONNECT_MS = 1_000;
  private static final int ANSWER_MS = 5_000;

  private RedisAnswers() {}

  /**
   * The answer: a String, a Long, or a List of answers.
   *
   * @throws IOException if there is none, or an error
   */
  static Object ask(String ip, int port, String... words) throws IOException {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress(ip, port), CONNECT_MS);
      socket.setSoTimeout(ANSWER_MS);
      var command = new StringBuilder("*" + words.length + "\r\n");
      for (String each : words) {
        command.append('$').append(each.getBytes(StandardCharsets.UTF_8).length).append("\r\n");
        command.append(each).append("\r\n");
      }
      socket.getOutputStream().write(command.toString().getBytes(StandardCharsets.UTF_8));
      return read(new BufferedInputStream(socket.getInputStream()));
    }
  }

  /** The same, or nothing. */
  static Optional<Object> find(String ip, int port, String... words) {
    try {
      return Optional.of(ask(ip, port, words));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Object read(InputStream in) throws IOException {
    String line = line(in);
    String rest = line.isEmpty() ? "" : line.substring(1);
    return switch (line.isEmpty() ? '?' : line.charAt(0)) {
      case '+' -> rest;
      case ':' -> Long.parseLong(rest);
      case '$' -> text(in, Integer.parseInt(rest));
      case '*' -> {
        var all = new ArrayList<Object>();
        for (int i = Integer.parseInt(rest); i > 0; i--) {
          all.add(read(in));
        }
        yield List.copyOf(all);
      }
      default -> throw new IOException("redis says: " + line);
    };
  }

  private static String text(InputStream in, int length) throws IOException {
    if (length < 0) {
      return "";
    }
    byte[] octets = in.readNBytes(length + 2);
    return new String(octets, 0, length, StandardCharsets.UTF_8);
  }

  private static String line(InputStream in) throws IOException {
    var line = new StringBuilder();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("redis closed the connection");
      }
      if (next != '\r') {
        line.append((char) next);
      }
    }
    return line.toString();
  }
}
