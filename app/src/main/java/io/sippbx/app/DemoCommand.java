package io.sippbx.app;

import io.sippbx.app.demo.Demo;
import io.sippbx.app.demo.DemoFailure;
import io.sippbx.app.demo.DemoNode;
import io.sippbx.app.demo.DemoSettings;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.transport.Listener;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.telemetry.Logging;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sip-pbx demo}: a call to look at, and a verdict on it. */
@Command(
    name = "demo",
    description = {
      "Starts everything on free ports of the loopback address and lets two built-in phones"
          + " register and call each other with real media. Prints what went over the wire, what was"
          + " heard, and the call detail record.",
      "Exits 0 only if all of it was right."
    },
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "3",
      description = "How long they talk, 1 to 60 (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(names = "--tcp", description = "The phones speak SIP over TCP instead of UDP.")
  private boolean tcp;

  @Option(names = "--ipv6", description = "All addresses are IPv6.")
  private boolean ipv6;

  @Option(names = "--hold", description = "The caller holds and resumes in the middle.")
  private boolean hold;

  @Option(
      names = "--redis",
      description =
          "Keeps the state in a Redis of its own, as a standalone does; needs redis-server.")
  private boolean redis;

  @Override
  public Integer call() throws InterruptedException {
    DemoSettings settings;
    try {
      settings =
          new DemoSettings(
              seconds, tcp ? TransportProtocol.TCP : TransportProtocol.UDP, ipv6, hold, redis);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), "--seconds: " + e.getMessage());
    }
    return new Demo(settings, Shown::start, spec.commandLine().getOut()).run() ? 0 : 1;
  }

  /** The node, as the demo sees it. */
  private record Shown(Node node, Logging logging) implements DemoNode {

    static DemoNode start(Configuration configuration) throws DemoFailure {
      Logging logging;
      try {
        logging = Logging.start(configuration.logging());
      } catch (IOException e) {
        throw new DemoFailure(String.valueOf(e.getMessage()), e);
      }
      try {
        return new Shown(Node.start(configuration, Node.Planes.ALL, logging), logging);
      } catch (NodeStartException e) {
        logging.close();
        throw new DemoFailure("the node could not be started: " + e.getMessage(), e);
      }
    }

    @Override
    public Endpoint sip(TransportProtocol protocol) throws DemoFailure {
      return node.listeners().stream()
          .filter(listener -> listener.protocol() == protocol)
          .findFirst()
          .map(Listener::bind)
          .orElseThrow(() -> new DemoFailure("the node does not listen for SIP over " + protocol));
    }

    @Override
    public Endpoint operations() throws DemoFailure {
      return node.adminAddress()
          .orElseThrow(() -> new DemoFailure("the node does not answer over HTTP"));
    }

    @Override
    public int activeCalls() {
      return node.controlPlane().map(control -> control.activeCalls()).orElse(0);
    }

    @Override
    public int lentPortPairs() {
      return node.mediaNode().map(media -> media.metrics().pairs().lent()).orElse(0);
    }

    @Override
    public void close() {
      node.stop();
      logging.close();
    }
  }
}
