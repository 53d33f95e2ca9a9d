/**
 * The deterministic simulation: whole control nodes and media nodes, their store, a network and
 * phones, in one thread on virtual time from one seed. What nodes are made of is the product's own
 * code; replaced are sockets, Redis and the relay. See docs/simulation.md.
 */
@NullMarked
package io.sippbx.simulation;

import org.jspecify.annotations.NullMarked;
