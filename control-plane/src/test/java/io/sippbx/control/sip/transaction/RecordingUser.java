package io.sippbx.control.sip.transaction;

import io.sippbx.control.sip.message.SipRequest;
import io.sippbx.control.sip.message.SipResponse;
import io.sippbx.control.sip.transport.Flow;
import io.sippbx.control.sip.transport.SendFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Remembers what it was told, a line each. */
final class RecordingUser implements TransactionUser {

  private final List<String> told = new ArrayList<>();

  /** Whether it keeps final responses before it has them acknowledged. */
  boolean acknowledgesLater;

  @Override
  public boolean acknowledgesLater() {
    return acknowledgesLater;
  }

  /** The same as {@link #take}, which will give it still. */
  List<String> told() {
    return List.copyOf(told);
  }

  /** All that was told since the last time. */
  List<String> take() {
    List<String> taken = List.copyOf(told);
    told.clear();
    return taken;
  }

  @Override
  public void request(ServerTransactionId id, SipRequest request, Flow flow) {
    told.add("request " + id.method());
  }

  @Override
  public void cancel(
      ServerTransactionId id, SipRequest cancel, Flow flow, Optional<ServerTransactionId> invite) {
    told.add("cancel of " + invite.map(ServerTransactionId::toString).orElse("nothing"));
  }

  @Override
  public void ack(SipRequest ack, Flow flow) {
    told.add("ack over " + flow.protocol());
  }

  @Override
  public void refusalAcknowledged(ServerTransactionId id, SipRequest ack) {
    told.add("acknowledged " + ack.toTag().map(Object::toString).orElse(""));
  }

  @Override
  public void response(ClientTransactionId id, SipResponse response, Flow flow) {
    told.add("response " + response.status() + " to " + id.method());
  }

  @Override
  public void failed(ClientTransactionId id, Failure failure) {
    told.add("failed " + id.method() + " " + failure);
  }

  @Override
  public void strayResponse(SipResponse response, Flow flow) {
    told.add("stray " + response.status());
  }

  @Override
  public void serverTransactionEnded(ServerTransactionId id, ServerEnd end) {
    told.add("ended " + id.method() + " " + end);
  }

  @Override
  public void responseNotSent(ServerTransactionId id, SendFailure failure) {
    told.add("not sent " + id.method() + " " + failure.reason());
  }

  @Override
  public void refused(SipRequest request, Flow flow) {
    told.add("refused " + request.method());
  }
}
