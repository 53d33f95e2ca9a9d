package io.sippbx.control.edge;

import io.sippbx.control.call.CallKeys;
import io.sippbx.control.registrar.RegistrarService;
import io.sippbx.control.registrar.RequestAuthenticator;
import io.sippbx.control.routing.NextHops;
import io.sippbx.control.routing.Router;
import io.sippbx.control.sip.locate.Locator;

/** What the edge of one loop asks, each confined to that loop but for the locator. */
public record EdgeServices(
    CallKeys keys,
    RegistrarService registrar,
    RequestAuthenticator access,
    Router router,
    NextHops nextHops,
    Locator locator) {}
