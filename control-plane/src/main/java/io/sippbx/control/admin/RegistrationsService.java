package io.sippbx.control.admin;

import io.grpc.stub.StreamObserver;
import io.sippbx.control.loop.Loop;
import io.sippbx.control.registrar.binding.Aor;
import io.sippbx.control.registrar.binding.Binding;
import io.sippbx.control.sip.message.SipUri;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.store.ReadAnswer;
import io.sippbx.control.store.RegistrationStore;
import io.sippbx.control.store.RegistrationStore.ListAnswer;
import io.sippbx.control.store.Versioned;
import io.sippbx.proto.admin.v1.Contact;
import io.sippbx.proto.admin.v1.GetRegistrationRequest;
import io.sippbx.proto.admin.v1.ListRegistrationsRequest;
import io.sippbx.proto.admin.v1.ListRegistrationsResponse;
import io.sippbx.proto.admin.v1.Registration;
import io.sippbx.proto.admin.v1.RegistrationsGrpc;
import java.util.Locale;
import java.util.Optional;

/** Who is registered in the cluster, from the store. */
final class RegistrationsService extends RegistrationsGrpc.RegistrationsImplBase {

  private final Loop loop;
  private final RegistrationStore store;

  /**
   * @param loop that the store answers on, and whose time says what has expired
   */
  RegistrationsService(Loop loop, RegistrationStore store) {
    this.loop = loop;
    this.store = store;
  }

  @Override
  public void listRegistrations(
      ListRegistrationsRequest request, StreamObserver<ListRegistrationsResponse> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          int size = Pages.size(request.getPageSize());
          Optional<Aor> after = Pages.token(request.getPageToken(), RegistrationsService::aor);
          store.list(
              after,
              size,
              answer -> {
                switch (answer) {
                  case ListAnswer.Page page -> {
                    var response = ListRegistrationsResponse.newBuilder();
                    for (RegistrationStore.Entry entry : page.entries()) {
                      Registration shown = shown(entry.aor(), entry.current());
                      // What only remembers nonces is nobody's registration.
                      if (shown.getContactsCount() > 0) {
                        response.addRegistrations(shown);
                      }
                    }
                    if (page.more() && !page.entries().isEmpty()) {
                      response.setNextPageToken(page.entries().getLast().aor().toString());
                    }
                    observer.onNext(response.build());
                    observer.onCompleted();
                  }
                  case ListAnswer.Unavailable(String detail) ->
                      observer.onError(AdminErrors.unavailable("the store: " + detail));
                }
              });
        });
  }

  @Override
  public void getRegistration(
      GetRegistrationRequest request, StreamObserver<Registration> observer) {
    AdminErrors.orRefuse(
        observer,
        () -> {
          String text = request.getAddressOfRecord();
          Aor aor =
              aor(text)
                  .orElseThrow(
                      () ->
                          AdminErrors.invalid(
                              "address_of_record", text, "sip:user@host, or user@host"));
          store.read(
              aor,
              answer -> {
                switch (answer) {
                  case ReadAnswer.Found<io.sippbx.control.registrar.binding.Registration>(
                          var current)
                      when !current.record().live(loop.now()).isEmpty() -> {
                    observer.onNext(shown(aor, current));
                    observer.onCompleted();
                  }
                  case ReadAnswer.Unavailable<io.sippbx.control.registrar.binding.Registration>(
                          String detail) ->
                      observer.onError(AdminErrors.unavailable("the store: " + detail));
                  case ReadAnswer.Found<io.sippbx.control.registrar.binding.Registration> found ->
                      observer.onError(nobody(aor));
                  case ReadAnswer.Absent<io.sippbx.control.registrar.binding.Registration> absent ->
                      observer.onError(nobody(aor));
                }
              });
        });
  }

  private static io.grpc.StatusRuntimeException nobody(Aor aor) {
    return AdminErrors.notFound(
        "address_of_record", aor.toString(), "nobody is registered under it");
  }

  private static Optional<Aor> aor(String text) {
    String uri =
        text.toLowerCase(Locale.ROOT).startsWith("sip") && text.contains(":")
            ? text
            : "sip:" + text;
    return Uri.parse(uri)
        .filter(SipUri.class::isInstance)
        .map(SipUri.class::cast)
        .flatMap(
            sip ->
                sip.userText()
                    .filter(user -> !user.isEmpty())
                    .map(user -> new Aor(user, sip.host())));
  }

  private Registration shown(
      Aor aor, Versioned<io.sippbx.control.registrar.binding.Registration> current) {
    var shown =
        Registration.newBuilder().setAddressOfRecord(aor.toString()).setVersion(current.version());
    for (Binding binding : current.record().live(loop.now())) {
      var contact =
          Contact.newBuilder()
              .setUri(CallView.shown(binding.uri()))
              .setQ(binding.qThousandths() / 1_000.0)
              .setInstance(binding.instance().orElse(""))
              .setReceived(
                  binding.flow().protocol().name().toLowerCase(Locale.ROOT)
                      + " "
                      + binding.received())
              .setUserAgent(binding.userAgent())
              .setUpdatedAt(CallView.timestamp(binding.updatedAt()))
              .setExpiresAt(CallView.timestamp(binding.expiresAt()));
      binding.path().forEach(hop -> contact.addPath(CallView.shown(hop.uri())));
      shown.addContacts(contact);
    }
    return shown.build();
  }
}
