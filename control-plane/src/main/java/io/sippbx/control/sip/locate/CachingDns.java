package io.sippbx.control.sip.locate;

import io.sippbx.control.loop.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Keeps what DNS said for as long as DNS allows, within bounds, and asks each question once at a
 * time. Confined to the locator's loop. Answers that are kept come by a task too.
 */
final class CachingDns implements Dns {

  private record Kept(Answer answer, long untilNs) {}

  private final Dns dns;
  private final Loop loop;
  private final LocateSettings settings;
  private final Map<Question, Kept> kept;
  private final Map<Question, List<Consumer<Answer>>> open = new LinkedHashMap<>();
  private int waiting;

  CachingDns(Dns dns, Loop loop, LocateSettings settings) {
    this.dns = dns;
    this.loop = loop;
    this.settings = settings;
    this.kept = new LinkedHashMap<>(16, 0.75f, true);
  }

  @Override
  public void ask(Question question, Consumer<Answer> answer) {
    Kept known = kept.get(question);
    if (known != null) {
      if (loop.nowNs() - known.untilNs() < 0) {
        loop.execute(() -> answer.accept(known.answer()));
        return;
      }
      kept.remove(question);
    }
    if (waiting >= settings.openQuestions()) {
      loop.execute(() -> answer.accept(new Answer.Busy()));
      return;
    }
    waiting++;
    List<Consumer<Answer>> waiters = open.get(question);
    if (waiters != null) {
      waiters.add(answer);
      return;
    }
    waiters = new ArrayList<>();
    waiters.add(answer);
    open.put(question, waiters);
    dns.ask(question, result -> answered(question, result));
  }

  private void answered(Question question, Answer answer) {
    List<Consumer<Answer>> waiters = open.remove(question);
    if (waiters == null) {
      return;
    }
    waiting -= waiters.size();
    switch (answer) {
      case Answer.Records records -> keep(question, answer, records.lifetime());
      case Answer.None none -> keep(question, answer, settings.minLifetime());
      case Answer.Failed failed -> {}
      case Answer.Busy busy -> {}
    }
    for (Consumer<Answer> waiter : waiters) {
      waiter.accept(answer);
    }
  }

  private void keep(Question question, Answer answer, Duration lifetime) {
    Duration bounded =
        lifetime.compareTo(settings.minLifetime()) < 0
            ? settings.minLifetime()
            : lifetime.compareTo(settings.maxLifetime()) > 0 ? settings.maxLifetime() : lifetime;
    if (bounded.isZero()) {
      return;
    }
    kept.put(question, new Kept(answer, loop.nowNs() + bounded.toNanos()));
    if (kept.size() > settings.cacheEntries()) {
      var eldest = kept.entrySet().iterator();
      eldest.next();
      eldest.remove();
    }
  }

  int keptAnswers() {
    return kept.size();
  }
}
