package io.sippbx.control.media;

import io.grpc.stub.StreamObserver;
import io.sippbx.proto.media.v1.ListResponse;
import io.sippbx.proto.media.v1.Session;
import io.sippbx.shared.identity.CallKey;
import java.util.ArrayList;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A node's answer to List, for whoever asked; what makes no sense in it is left out. */
final class Listed implements StreamObserver<ListResponse> {

  private final Consumer<MediaListing> answer;
  private @Nullable ListResponse response;

  Listed(Consumer<MediaListing> answer) {
    this.answer = answer;
  }

  @Override
  public void onNext(ListResponse page) {
    response = page;
  }

  @Override
  public void onError(Throwable error) {
    answer.accept(new MediaListing.Failed(String.valueOf(error.getMessage())));
  }

  @Override
  public void onCompleted() {
    ListResponse page = response;
    answer.accept(page == null ? new MediaListing.Failed("it said nothing") : page(page));
  }

  private static MediaListing page(ListResponse page) {
    var sessions = new ArrayList<MediaListing.Session>(page.getSessionsCount());
    for (Session each : page.getSessionsList()) {
      key(each.getCallKey())
          .ifPresent(
              call ->
                  sessions.add(
                      new MediaListing.Session(
                          call,
                          each.getRevision(),
                          each.getConfirmed(),
                          2 * each.getStreamsCount())));
    }
    return new MediaListing.Page(sessions, key(page.getNextAfterCallKey()));
  }

  private static Optional<CallKey> key(String text) {
    return text.length() == CallKey.LENGTH ? CallKey.prefixOf(text) : Optional.empty();
  }
}
