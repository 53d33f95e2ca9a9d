package io.sippbx.media.relay;

/**
 * Both ends of a stream.
 *
 * @param index position of the media line in the SDP, from 0
 */
record RelayStream(int index, StreamSide a, StreamSide b, StreamPorts ports) {

  StreamSide side(End end) {
    return end == End.A ? a : b;
  }

  /** Follows the stream's plan. */
  void follow(StreamPlan plan, long nowNs) {
    a.follow(plan.a(), plan.form());
    b.follow(plan.b(), plan.form());
    judge(nowNs);
  }

  /** The plan leaves the stream out. */
  void rest(long nowNs) {
    a.rest();
    b.rest();
    judge(nowNs);
  }

  private void judge(long nowNs) {
    a.judge(b, nowNs);
    b.judge(a, nowNs);
  }

  int sockets() {
    return a.sockets().count() + b.sockets().count();
  }

  void close() {
    a.close();
    b.close();
  }

  SessionCounts.Stream counts() {
    return new SessionCounts.Stream(index, a.counts(b), b.counts(a));
  }
}
