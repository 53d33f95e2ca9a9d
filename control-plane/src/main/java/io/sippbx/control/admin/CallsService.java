package io.sippbx.control.admin;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.sippbx.control.call.Call;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.store.CallStore;
import io.sippbx.control.store.PartitionStore;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.proto.admin.v1.CallSummary;
import io.sippbx.proto.admin.v1.CallsGrpc;
import io.sippbx.proto.admin.v1.GetCallRequest;
import io.sippbx.proto.admin.v1.HangUpCallRequest;
import io.sippbx.proto.admin.v1.HangUpCallResponse;
import io.sippbx.proto.admin.v1.ListCallsRequest;
import io.sippbx.proto.admin.v1.ListCallsResponse;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The calls of the cluster, from the store: any node answers for all. A page of a list costs a
 * question for each partition that it goes through and one for each call on it, of which {@value
 * #READS_AT_ONCE} are under way.
 */
final class CallsService extends CallsGrpc.CallsImplBase {

  static final int READS_AT_ONCE = 64;

  private final Loop loop;
  private final CallStore<Call> calls;
  private final PartitionStore partitions;
  private final CallCommands commands;

  CallsService(Loop loop, CallStore<Call> calls, PartitionStore partitions, CallCommands commands) {
    this.loop = loop;
    this.calls = calls;
    this.partitions = partitions;
    this.commands = commands;
  }

  @Override
  public void listCalls(ListCallsRequest request, StreamObserver<ListCallsResponse> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          int size = Pages.size(request.getPageSize());
          PartitionWalk.Position from =
              Pages.token(request.getPageToken(), PartitionWalk.Position::parse)
                  .orElse(PartitionWalk.Position.START);
          PartitionWalk.go(
              loop,
              partitions::calls,
              from,
              size,
              outcome -> {
                switch (outcome) {
                  case PartitionWalk.Outcome.Calls found -> new Reading(found, observer).begin();
                  case PartitionWalk.Outcome.Unavailable(String detail) ->
                      observer.onError(AdminErrors.unavailable(detail));
                }
              });
        });
  }

  /** Reads the calls of a page. Lives on the loop. */
  private final class Reading {
    private final List<CallKey> keys;
    private final Optional<PartitionWalk.Position> next;
    private final StreamObserver<ListCallsResponse> observer;
    private final List<Optional<CallSummary>> read = new ArrayList<>();
    private int asked;
    private int answered;
    private int unread;
    private String problem = "";

    Reading(PartitionWalk.Outcome.Calls found, StreamObserver<ListCallsResponse> observer) {
      this.keys = found.calls();
      this.next = found.next();
      this.observer = observer;
      keys.forEach(key -> read.add(Optional.empty()));
    }

    void begin() {
      while (asked < keys.size() && asked - answered < READS_AT_ONCE) {
        int index = asked++;
        calls.read(keys.get(index), answer -> loop.execute(() -> answered(index, answer)));
      }
      if (answered == keys.size()) {
        finish();
      }
    }

    private void answered(int index, ReadAnswer<Call> answer) {
      answered++;
      switch (answer) {
        case ReadAnswer.Found<Call>(var current) -> {
          if (!current.record().isTombstone()) {
            read.set(index, Optional.of(CallView.summary(current)));
          }
        }
        case ReadAnswer.Absent<Call> gone -> {}
        // One that only a newer node can read is shown by its key.
        case ReadAnswer.Unavailable<Call>(String detail) -> {
          unread++;
          problem = detail;
          read.set(
              index,
              Optional.of(CallSummary.newBuilder().setCallKey(keys.get(index).text()).build()));
        }
      }
      begin();
    }

    private void finish() {
      if (unread > 0 && unread == keys.size()) {
        observer.onError(AdminErrors.unavailable("the store: " + problem));
        return;
      }
      var response = ListCallsResponse.newBuilder();
      read.forEach(each -> each.ifPresent(response::addCalls));
      next.ifPresent(place -> response.setNextPageToken(place.token()));
      observer.onNext(response.build());
      observer.onCompleted();
    }
  }

  @Override
  public void getCall(
      GetCallRequest request, StreamObserver<io.sippbx.proto.admin.v1.Call> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          CallKey key = key(request.getCallKey());
          read(
              key,
              observer::onError,
              found -> {
                observer.onNext(CallView.whole(found.current()));
                observer.onCompleted();
              });
        });
  }

  @Override
  public void hangUpCall(HangUpCallRequest request, StreamObserver<HangUpCallResponse> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          CallKey key = key(request.getCallKey());
          read(
              key,
              observer::onError,
              found -> {
                if (found.current().record().isTombstone()) {
                  observer.onError(
                      AdminErrors.notNow("call_key", key.text(), "the call has ended"));
                  return;
                }
                commands.hangUp(
                    key, found.current().owner(), answer -> hungUp(key, answer, observer));
              });
        });
  }

  private static void hungUp(
      CallKey key, CallCommands.Answer answer, StreamObserver<HangUpCallResponse> observer) {
    switch (answer) {
      case CallCommands.Answer.Told told -> {
        observer.onNext(HangUpCallResponse.newBuilder().setCallKey(key.text()).build());
        observer.onCompleted();
      }
      case CallCommands.Answer.Absent absent -> observer.onError(noCall(key));
      case CallCommands.Answer.Unavailable(String detail) ->
          observer.onError(AdminErrors.unavailable("call_key = " + key + ": " + detail));
    }
  }

  private void read(
      CallKey key,
      Consumer<StatusRuntimeException> failed,
      Consumer<ReadAnswer.Found<Call>> found) {
    calls.read(
        key,
        answer -> {
          switch (answer) {
            case ReadAnswer.Found<Call> there -> found.accept(there);
            case ReadAnswer.Absent<Call> none -> failed.accept(noCall(key));
            case ReadAnswer.Unavailable<Call>(String detail) ->
                failed.accept(AdminErrors.unavailable("the store: " + detail));
          }
        });
  }

  private static StatusRuntimeException noCall(CallKey key) {
    return AdminErrors.notFound("call_key", key.text(), "there is no such call");
  }

  private static CallKey key(String text) {
    return CallKey.prefixOf(text)
        .filter(key -> key.text().equals(text))
        .orElseThrow(
            () -> AdminErrors.invalid("call_key", text, "26 characters of a to z and 2 to 7"));
  }
}
