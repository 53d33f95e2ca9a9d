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

  /** Blocks until the process ends; the exit code where it could not be started. */
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
    int lowered = CompilerPriority.lower();
    log.atDebug().addKeyValue("threads", lowered).log("compiler.lowered");
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
    // On SIGTERM or SIGINT the JVM runs this and would end with 143 or 130: who asked a process to
    // end, and it did in order, is told 0.
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  told.countDown();
                  node.stop();
                  logging.close();
                  System.out.flush();
                  Runtime.getRuntime().halt(0);
                },
                "shutdown"));
    if (new ReadyWait(node::readiness, System::nanoTime).await(told)) {
      System.out.println(node.banner());
      System.out.flush();
      log.atInfo().addKeyValue("addresses", node.banner()).log("node.ready");
    }
    told.await();
    // The hook ends the process.
    Thread.currentThread().join();
    return 0;
  }
}
