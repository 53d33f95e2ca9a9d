package io.sippbx.benchmarks.survival;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** On which hosts the processes of a fleet are. */
sealed interface Hosts {

  /** Where the phones are. */
  String phones();

  /** The address that all control nodes share. */
  String shared();

  /** Where Redis and the media nodes are. */
  String servers();

  /** The own address of a control node, from 1. */
  String control(int number);

  /** How a command is begun that is to run on the host of a control node. */
  List<String> onControl(int number);

  /** How a command is begun that is to run on the host of the servers. */
  List<String> onServers();

  /** Tells what balances the shared address which control nodes there are. */
  void balance(List<Integer> living) throws IOException;

  /** One machine: the shared address is a SO_REUSEPORT group, and the kernel balances. */
  record Loopback(String ip) implements Hosts {

    @Override
    public String phones() {
      return ip;
    }

    @Override
    public String shared() {
      return ip;
    }

    @Override
    public String servers() {
      return ip;
    }

    @Override
    public String control(int number) {
      return ip;
    }

    @Override
    public List<String> onControl(int number) {
      return List.of();
    }

    @Override
    public List<String> onServers() {
      return List.of();
    }

    @Override
    public void balance(List<Integer> living) {}
  }

  /**
   * Hosts of their own, as {@code ./bench} makes them of network namespaces: the shared address is
   * on the loopback of each control host, and a router spreads flows to them by a resilient group
   * of next hops, so that a flow to a living host stays where it is.
   *
   * @param prefix how the names of the namespaces begin
   */
  record Namespaces(String prefix) implements Hosts {

    private static final int GROUP = 100;

    @Override
    public String phones() {
      return "10.77.1.2";
    }

    @Override
    public String shared() {
      return "10.99.0.1";
    }

    @Override
    public String servers() {
      return "10.77.2.2";
    }

    @Override
    public String control(int number) {
      return "10.77." + (10 + number) + ".2";
    }

    @Override
    public List<String> onControl(int number) {
      return List.of("ip", "netns", "exec", prefix + "-control-" + number);
    }

    @Override
    public List<String> onServers() {
      return List.of("ip", "netns", "exec", prefix + "-servers");
    }

    @Override
    public void balance(List<Integer> living) throws IOException {
      if (living.isEmpty()) {
        return;
      }
      var command =
          new ArrayList<>(List.of("ip", "-n", prefix + "-router", "nexthop", "replace", "id"));
      command.addAll(
          List.of(
              "" + GROUP,
              "group",
              String.join("/", living.stream().map(String::valueOf).toList()),
              "type",
              "resilient",
              "buckets",
              "128",
              "idle_timer",
              "3600"));
      run(command);
      run(
          List.of(
              "ip", "-n", prefix + "-router", "route", "replace", shared(), "nhid", "" + GROUP));
    }

    private static void run(List<String> command) throws IOException {
      Process process = new ProcessBuilder(command).inheritIO().start();
      try {
        if (process.waitFor() != 0) {
          throw new IOException("failed: " + String.join(" ", command));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }
}
