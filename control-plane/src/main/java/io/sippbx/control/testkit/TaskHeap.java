package io.sippbx.control.testkit;

import java.util.Arrays;

/** Tasks by time, and by sequence at equal times; each knows its place, so any can be removed. */
final class TaskHeap {

  /** Lives in one heap at most. */
  static final class Task {
    private final long dueNs;
    private final long sequence;
    private final Runnable work;
    private int place = -1;

    Task(long dueNs, long sequence, Runnable work) {
      this.dueNs = dueNs;
      this.sequence = sequence;
      this.work = work;
    }

    long dueNs() {
      return dueNs;
    }

    long sequence() {
      return sequence;
    }

    Runnable work() {
      return work;
    }

    private boolean isBefore(Task other) {
      return dueNs < other.dueNs || dueNs == other.dueNs && sequence < other.sequence;
    }
  }

  private Task[] tasks = new Task[16];
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  int size() {
    return size;
  }

  Task first() {
    return tasks[0];
  }

  void add(Task task) {
    if (size == tasks.length) {
      tasks = Arrays.copyOf(tasks, size * 2);
    }
    size++;
    up(task, size - 1);
  }

  Task take() {
    Task first = tasks[0];
    remove(first);
    return first;
  }

  /** Does nothing if it is not here any more. */
  void remove(Task task) {
    int place = task.place;
    if (place < 0) {
      return;
    }
    task.place = -1;
    size--;
    Task last = tasks[size];
    Arrays.fill(tasks, size, size + 1, null);
    if (last != task) {
      down(last, place);
      if (last.place == place) {
        up(last, place);
      }
    }
  }

  void clear() {
    for (int i = 0; i < size; i++) {
      tasks[i].place = -1;
    }
    Arrays.fill(tasks, 0, size, null);
    size = 0;
  }

  private void up(Task task, int from) {
    int place = from;
    while (place > 0) {
      Task parent = tasks[(place - 1) >>> 1];
      if (!task.isBefore(parent)) {
        break;
      }
      put(parent, place);
      place = (place - 1) >>> 1;
    }
    put(task, place);
  }

  private void down(Task task, int from) {
    int place = from;
    while (2 * place + 1 < size) {
      int child = 2 * place + 1;
      if (child + 1 < size && tasks[child + 1].isBefore(tasks[child])) {
        child++;
      }
      if (!tasks[child].isBefore(task)) {
        break;
      }
      put(tasks[child], place);
      place = child;
    }
    put(task, place);
  }

  private void put(Task task, int place) {
    tasks[place] = task;
    task.place = place;
  }
}
