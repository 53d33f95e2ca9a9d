package io.sippbx.app;

import io.sippbx.shared.config.ConfigResult;
import io.sippbx.shared.config.Configuration;
import io.sippbx.shared.config.Problem;
import io.sippbx.shared.telemetry.Logging;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs a node from its start to SIGTERM. */
final class Running {

  private Running() {}

  /** Blocks until the process is told to end; the exit code. */
  static int run(ConfigResult loaded, Node.Planes planes) throws InterruptedException {
    switch (loaded) {
      case ConfigResult.Refused refused -> {
        System.err.println(refused.report());
        return 1;
      }
      case ConfigResult.Loaded config -> {
        return run(config, planes);
      }
    }
  }

  private static int run(ConfigResult.Loaded loaded, Node.Planes planes)
      throws InterruptedException {
    Configuration config = loaded.configuration();
    Logging logging;
    try {
      logging = Logging.start(config.logging());
    } catch (IOException e) {
      System.err.println("sip-pbx: logging.output: " + e.getMessage());
      return 1;
    }
    Logger log = LoggerFactory.getLogger(Running.class);
    for (Problem notice : loaded.notices()) {
      log.atWarn().addKeyValue("notice", notice).log("config.notice");
    }
    Node node;
    try {
      node = Node.start(config, planes, logging);
    } catch (NodeStartException e) {
      log.atError().addKeyValue("problem", e.getMessage()).log("node.not-started");
      logging.close();
      System.err.println("sip-pbx: " + e.getMessage());
      return 1;
    }
    var told = new CountDownLatch(1);
    var stopped = new CountDownLatch(1);
    // On SIGTERM or SIGINT the JVM runs this and ends when it returns.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  told.countDown();
                  node.stop();
                  logging.close();
                  stopped.countDown();
                },
                "shutdown"));
    System.out.println(node.banner());
    System.out.flush();
    log.atInfo().addKeyValue("addresses", node.banner()).log("node.ready");
    told.await();
    stopped.await();
    return 0;
  }
}
