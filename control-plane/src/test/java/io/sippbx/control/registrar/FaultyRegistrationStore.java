package io.sippbx.control.registrar;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Registration;
import io.sippbx.control.store.CommitAnswer;
import io.sippbx.control.store.CommitId;
import io.sippbx.control.store.Partition;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationCommit;
import io.sippbx.control.store.RegistrationStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A store that fails as it is told, one fault for each operation, and else is another store. */
final class FaultyRegistrationStore implements RegistrationStore {

  /** What happens to the next operation. */
  enum Fault {
    /** Nothing. */
    NONE,
    /** It is not done, and nobody can tell. */
    LOST,
    /** It is done, and nobody can tell. */
    ANSWER_LOST
  }

  private final RegistrationStore real;
  private final Loop loop;
  private final ArrayDeque<Fault> reads = new ArrayDeque<>();
  private final ArrayDeque<Fault> commits = new ArrayDeque<>();
  private final ArrayDeque<Runnable> beforeCommits = new ArrayDeque<>();

  /** The ids of all commits, in order. */
  final List<CommitId> ids = new ArrayList<>();

  /** How many reads there were. */
  int readCount;

  /** Reads are kept waiting while this is set. */
  boolean holdReads;

  private final List<Runnable> held = new ArrayList<>();

  FaultyRegistrationStore(RegistrationStore real, Loop loop) {
    this.real = real;
    this.loop = loop;
  }

  void onReads(Fault... faults) {
    reads.addAll(List.of(faults));
  }

  void onCommits(Fault... faults) {
    commits.addAll(List.of(faults));
  }

  /** Something that comes first, once for each of the next commits. */
  void beforeNextCommit(Runnable action) {
    beforeCommits.add(action);
  }

  void release() {
    holdReads = false;
    held.forEach(Runnable::run);
    held.clear();
  }

  @Override
  public void read(Aor aor, Consumer<ReadAnswer<Registration>> answer) {
    readCount++;
    if (holdReads) {
      held.add(() -> real.read(aor, answer));
    } else if (next(reads) == Fault.NONE) {
      real.read(aor, answer);
    } else {
      loop.execute(() -> answer.accept(new ReadAnswer.Unavailable<>("on purpose")));
    }
  }

  @Override
  public void commit(RegistrationCommit commit, Consumer<CommitAnswer<Registration>> answer) {
    ids.add(commit.id());
    if (!beforeCommits.isEmpty()) {
      beforeCommits.removeFirst().run();
    }
    var unknown = new CommitAnswer.Unknown<Registration>("on purpose");
    switch (next(commits)) {
      case NONE -> real.commit(commit, answer);
      case LOST -> loop.execute(() -> answer.accept(unknown));
      case ANSWER_LOST -> real.commit(commit, done -> answer.accept(unknown));
    }
  }

  @Override
  public void list(Optional<Aor> after, int limit, Consumer<ListAnswer> answer) {
    if (next(reads) == Fault.NONE) {
      real.list(after, limit, answer);
    } else {
      loop.execute(() -> answer.accept(new ListAnswer.Unavailable("on purpose")));
    }
  }

  @Override
  public void claimExpired(Partition partition, int limit, Consumer<ExpiredAnswer> answer) {
    if (next(reads) == Fault.NONE) {
      real.claimExpired(partition, limit, answer);
    } else {
      loop.execute(() -> answer.accept(new ExpiredAnswer.Unavailable("on purpose")));
    }
  }

  @Override
  public void count(Consumer<CountAnswer> answer) {
    if (next(reads) == Fault.NONE) {
      real.count(answer);
    } else {
      loop.execute(() -> answer.accept(new CountAnswer.Unavailable("on purpose")));
    }
  }

  private static Fault next(ArrayDeque<Fault> faults) {
    return faults.isEmpty() ? Fault.NONE : faults.removeFirst();
  }
}
