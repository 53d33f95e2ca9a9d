package io.sippbx.app.demo;

import io.sippbx.control.sip.auth.DigestClient;
import io.sippbx.media.port.EphemeralRangeCheck;
import io.sippbx.shared.config.Configuration;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Shows a call through a node of its own, and tells whether all of it was right. */
public final class Demo {

  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final Duration READY_WITHIN = Duration.ofSeconds(20);
  private static final Duration READY_LOOK = Duration.ofMillis(100);
  private static final Tone CALLERS_TONE = new Tone(400);
  private static final Tone CALLEES_TONE = new Tone(650);
  private static final String CALLER = "alice";
  private static final String CALLEE = "bob";

  private final DemoSettings settings;
  private final DemoNode.Starter starter;
  private final PrintWriter out;
  private final SecureRandom random = new SecureRandom();
  private final Checks checks = new Checks();
  private final Ladder ladder = new Ladder();
  private final Conversation conversation = new Conversation(PATIENCE);

  /**
   * @param starter starts the node that is shown
   * @param out is flushed after each line
   */
  public Demo(DemoSettings settings, DemoNode.Starter starter, PrintWriter out) {
    this.settings = settings;
    this.starter = starter;
    this.out = out;
  }

  /** Runs all of it; blocks. Whether all was right. */
  public boolean run() throws InterruptedException {
    say(
        "A call of %d s between two built-in phones, through a SIP PBX of their own"
            + " (SIP over %s, IPv%d, loopback)%n",
        settings.seconds(), settings.protocol(), settings.v6() ? 6 : 4);
    Path folder;
    try {
      folder = Files.createTempDirectory("sip-pbx-demo-");
    } catch (IOException e) {
      say("FAILED: no folder for temporary files: %s", e);
      return false;
    }
    boolean ok = run(folder);
    Path log = folder.resolve(DemoConfig.LOG);
    if (ok || !Files.exists(log)) {
      delete(folder);
    } else {
      say("The log is kept: %s", log);
    }
    return ok;
  }

  private boolean run(Path folder) throws InterruptedException {
    try {
      show(folder);
    } catch (DemoFailure e) {
      ladder();
      verdict();
      say("FAILED: %s", String.valueOf(e.getMessage()));
      return false;
    } catch (IOException e) {
      say("FAILED: the phones could not be started: %s", String.valueOf(e.getMessage()));
      return false;
    }
    verdict();
    long failed = checks.failed();
    say(
        failed == 0 ? "OK: all %2$d checks passed" : "FAILED: %1$d of %2$d checks",
        failed,
        checks.all().size());
    return failed == 0;
  }

  private void show(Path folder) throws DemoFailure, IOException, InterruptedException {
    var logins = List.of(login(CALLER), login(CALLEE));
    FreePorts.Found ports =
        FreePorts.find(settings.ip(), EphemeralRangeCheck.ofThisMachine(), random);
    Configuration configuration = DemoConfig.load(settings, folder, ports, logins);
    try (DemoNode node = starter.start(configuration);
        var operations = new Operations(node.operations(), PATIENCE);
        Phone caller = phone(node, logins.getFirst(), Ladder.Leg.CALLER);
        Phone callee = phone(node, logins.getLast(), Ladder.Leg.CALLEE)) {
      progress(
          "started     SIP at "
              + node.sip(settings.protocol())
              + ", media ports "
              + ports.range()
              + ", HTTP at "
              + node.operations());
      awaitReady(operations);
      var script = new Script(caller, callee, ladder, this::progress);
      var ofNode = new NodeInspection(checks, node, operations, PATIENCE);
      script.register();
      CallFacts facts =
          script.call(
              settings.seconds() * RtpEndpoint.PACKETS_PER_SECOND,
              settings.hold(),
              ofNode::midCall);
      PhoneFacts ofCaller = caller.facts();
      PhoneFacts ofCallee = callee.facts();
      var inspection = new Inspection(checks, ofCaller, ofCallee);
      inspection.signalling(facts, ports.range());
      inspection.media();
      ofNode.quiet();
      List<String> records = new CallRecords(folder.resolve(DemoConfig.CDR)).await(PATIENCE);
      inspection.record(records, facts);
      ladder();
      media(ofCaller, ofCallee);
      say("%nThe call detail record%n");
      records.forEach(line -> say("  %s", line));
    }
  }

  /** A node that has just started takes no calls for some seconds: as others do, wait for it. */
  private void awaitReady(Operations operations) throws DemoFailure, InterruptedException {
    if (!operations.isReady()) {
      progress("waiting     until the node takes calls");
      if (!Waiting.until(operations::isReady, READY_WITHIN, READY_LOOK)) {
        throw new DemoFailure(
            "the node was not ready for calls within " + READY_WITHIN.toSeconds() + " s");
      }
    }
  }

  private DigestClient.Login login(String user) {
    return new DigestClient.Login(user, new Tokens(random).next());
  }

  private Phone phone(DemoNode node, DigestClient.Login login, Ladder.Leg leg)
      throws DemoFailure, IOException {
    boolean calls = leg == Ladder.Leg.CALLER;
    RtpEndpoint voice =
        RtpEndpoint.open(
            login.username(),
            settings.ip(),
            calls ? CALLERS_TONE : CALLEES_TONE,
            calls ? CALLEES_TONE : CALLERS_TONE,
            random);
    try {
      var account =
          new Account(login, DemoConfig.DOMAIN, node.sip(settings.protocol()), settings.protocol());
      return Phone.open(account, settings.ip(), voice, ladder.tracer(leg), conversation, random);
    } catch (IOException | DemoFailure e) {
      voice.close();
      throw e;
    }
  }

  private void progress(String line) {
    say("  %s", line);
  }

  private void ladder() {
    List<Ladder.Row> rows = ladder.rows();
    if (rows.isEmpty()) {
      return;
    }
    say("%nThe call, as both phones saw it%n");
    var drawing = new LadderDrawing(CALLER + " (caller)", "sip-pbx", CALLEE + " (callee)");
    drawing.draw(rows).forEach(line -> say("%s", line));
    if (ladder.leftOut() > 0) {
      say("  ... and %d more", ladder.leftOut());
    }
  }

  private void media(PhoneFacts caller, PhoneFacts callee) {
    say("%nMedia (RTP, G.711 mu-law, a packet every %d ms)%n", RtpEndpoint.PACKET_TIME.toMillis());
    say(
        "  %-16s %8s %8s %8s %8s   %s",
        "way", "sent", "heard", "clipped", "lost", "of what was heard");
    way(caller, callee);
    way(callee, caller);
  }

  private void way(PhoneFacts from, PhoneFacts to) {
    Reception.Reading heard = to.heard();
    say(
        "  %-16s %8d %8d %8d %8d   %.1f %% is the tone of %s, %s",
        from.name() + " -> " + to.name(),
        from.sent(),
        heard.packets(),
        to.clippedFrom(from),
        to.lostFrom(from),
        100 * heard.share(),
        from.name(),
        from.tone());
  }

  private void verdict() {
    if (!checks.all().isEmpty()) {
      say("%nVerdict%n");
      checks.all().forEach(check -> say("  %s", check));
    }
    say("");
  }

  private void say(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
    out.flush();
  }

  private void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      say("Left behind: %s", folder);
    }
  }
}
