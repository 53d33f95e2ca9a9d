package io.sippbx.control.sip.locate;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.sip.locate.Dns.Answer;
import io.sippbx.control.sip.locate.Dns.Data;
import io.sippbx.control.sip.locate.Dns.Kind;
import io.sippbx.control.sip.locate.Dns.Question;
import io.sippbx.control.sip.locate.Location.Reason;
import io.sippbx.control.sip.message.TransportProtocol;
import io.sippbx.control.sip.message.Uri;
import io.sippbx.control.sip.transport.Destination;
import io.sippbx.shared.net.Endpoint;
import io.sippbx.shared.net.IpAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds destinations by NAPTR, SRV, A and AAAA records.
 *
 * <p>What needs no look-up is answered without one. Everything else runs on one loop, where answers
 * of DNS are kept; a DNS that fails for NAPTR or SRV is taken to have none, since many do, and
 * addresses are asked for. When time is up, what was found until then is the answer.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3263#section-4">RFC 3263 4</a>
 */
public final class Rfc3263Locator implements Locator {

  private final Loop own;
  private final CachingDns dns;
  private final LocateSettings settings;
  private final IntUnaryOperator random;

  /**
   * @param own the loop that {@code dns} answers on
   * @param random gives for n a number from 0 to n - 1; called on {@code own}
   */
  public Rfc3263Locator(Loop own, Dns dns, LocateSettings settings, IntUnaryOperator random) {
    this.own = own;
    this.dns = new CachingDns(dns, own, settings);
    this.settings = settings;
    this.random = random;
  }

  @Override
  public void locate(Uri nextHop, Loop home, Consumer<Location> answer) {
    Search search = Search.of(nextHop, settings);
    switch (search) {
      case Search.Done(Location location) -> home.execute(() -> answer.accept(location));
      case Search.Addresses addresses -> start(home, answer, lookup -> lookup.addresses(addresses));
      case Search.Services services -> start(home, answer, lookup -> lookup.services(services));
      case Search.Everything everything ->
          start(home, answer, lookup -> lookup.everything(everything));
    }
  }

  private void start(Loop home, Consumer<Location> answer, Consumer<Lookup> first) {
    own.execute(
        () -> {
          var lookup = new Lookup(home, answer);
          lookup.timer =
              own.schedule(
                  settings.timeout(),
                  () -> lookup.end(Reason.TIMEOUT, "no answer in " + settings.timeout()));
          first.accept(lookup);
        });
  }

  /** A host to be resolved, and what came of it. */
  private static final class Host {
    private final TransportProtocol transport;
    private final String name;
    private final int port;
    private final List<List<IpAddress>> byFamily = new ArrayList<>();

    Host(TransportProtocol transport, String name, int port, int families) {
      this.transport = transport;
      this.name = name;
      this.port = port;
      for (int i = 0; i < families; i++) {
        byFamily.add(List.of());
      }
    }
  }

  /** One question to the locator. Confined to the locator's loop. */
  private final class Lookup {
    private final Loop home;
    private final Consumer<Location> answer;
    private List<Host> hosts = List.of();
    private Loop.@Nullable Timer timer;
    private Reason reason = Reason.NO_SUCH_NAME;
    private String detail = "";
    private int openAnswers;
    private boolean ended;

    Lookup(Loop home, Consumer<Location> answer) {
      this.home = home;
      this.answer = answer;
    }

    void everything(Search.Everything search) {
      dns.ask(
          new Question(Kind.NAPTR, search.name()),
          result -> {
            if (ended) {
              return;
            }
            var records = new ArrayList<Data.Naptr>();
            if (result instanceof Answer.Records found) {
              for (Data data : found.records()) {
                if (data instanceof Data.Naptr naptr) {
                  records.add(naptr);
                }
              }
            }
            List<Search.Service> services = Search.services(records, settings);
            services(
                services.isEmpty()
                    ? search.otherwise()
                    : new Search.Services(services, search.otherwise().otherwise()));
          });
    }

    void services(Search.Services search) {
      List<Search.Service> services = search.services();
      var results = new ArrayList<@Nullable Answer>();
      openAnswers = services.size();
      for (int i = 0; i < services.size(); i++) {
        int index = i;
        results.add(null);
        dns.ask(
            new Question(Kind.SRV, services.get(i).name()),
            result -> {
              results.set(index, result);
              if (--openAnswers == 0 && !ended) {
                hosts(search, results);
              }
            });
      }
    }

    private void hosts(Search.Services search, List<@Nullable Answer> results) {
      var found = new ArrayList<Host>();
      boolean refused = false;
      for (int i = 0; i < results.size(); i++) {
        if (!(results.get(i) instanceof Answer.Records records)) {
          continue;
        }
        var srvs = new ArrayList<Data.Srv>();
        for (Data data : records.records()) {
          if (data instanceof Data.Srv srv) {
            srvs.add(srv);
          }
        }
        for (Data.Srv srv : SrvOrder.of(srvs, random)) {
          if (srv.target().isEmpty()) {
            refused = true;
          } else if (srv.port() > 0 && found.size() < settings.destinations()) {
            found.add(
                new Host(
                    search.services().get(i).transport(),
                    Search.canonical(srv.target()),
                    srv.port(),
                    settings.families().size()));
          }
        }
      }
      if (!found.isEmpty()) {
        resolve(found);
      } else if (refused) {
        end(Reason.NO_SERVICE, search.otherwise().name() + " says that it has no SIP service");
      } else {
        addresses(search.otherwise());
      }
    }

    void addresses(Search.Addresses search) {
      resolve(
          List.of(
              new Host(
                  search.transport(), search.name(), search.port(), settings.families().size())));
    }

    private void resolve(List<Host> toResolve) {
      hosts = toResolve;
      detail = "no address of " + toResolve.getFirst().name;
      openAnswers = toResolve.size() * settings.families().size();
      for (Host host : toResolve) {
        Optional<IpAddress> literal = IpAddress.parse(host.name);
        for (int i = 0; i < settings.families().size(); i++) {
          int index = i;
          AddressFamily family = settings.families().get(i);
          if (literal.isPresent()) {
            // Not allowed in SRV records, and seen there.
            resolved(
                host,
                index,
                AddressFamily.of(literal.get()) == family ? List.of(literal.get()) : List.of());
          } else if (Search.isLocal(host.name)) {
            resolved(host, index, List.of(family.loopback()));
          } else {
            dns.ask(
                new Question(family.kind(), host.name),
                result -> resolved(host, index, addressesIn(result, family)));
          }
        }
      }
    }

    private List<IpAddress> addressesIn(Answer result, AddressFamily family) {
      switch (result) {
        case Answer.Records records -> {
          var addresses = new ArrayList<IpAddress>();
          for (Data data : records.records()) {
            if (data instanceof Data.Address(IpAddress ip) && AddressFamily.of(ip) == family) {
              addresses.add(ip);
            }
          }
          return addresses;
        }
        case Answer.None none -> {}
        case Answer.Failed(boolean timeout, String why) -> {
          reason = timeout ? Reason.TIMEOUT : Reason.DNS_FAILED;
          detail = why;
        }
        case Answer.Busy busy -> {
          reason = Reason.BUSY;
          detail = "too many open questions to DNS";
        }
      }
      return List.of();
    }

    private void resolved(Host host, int index, List<IpAddress> addresses) {
      host.byFamily.set(index, addresses);
      if (--openAnswers == 0) {
        end(reason, detail);
      }
    }

    /** Answers with what was found; with the reason if that is nothing. */
    void end(Reason why, String how) {
      if (ended) {
        return;
      }
      ended = true;
      if (timer != null) {
        timer.cancel();
      }
      // A linked set: two SRV records may lead to one address.
      var destinations = new LinkedHashSet<Destination>();
      for (Host host : hosts) {
        for (List<IpAddress> addresses : host.byFamily) {
          for (IpAddress ip : addresses) {
            if (destinations.size() < settings.destinations()) {
              destinations.add(Destination.to(host.transport, new Endpoint(ip, host.port)));
            }
          }
        }
      }
      Location location =
          destinations.isEmpty()
              ? new Location.NotFound(why, how)
              : new Location.Found(new ArrayList<>(destinations));
      home.execute(() -> answer.accept(location));
    }
  }
}
