package io.sippbx.control.mesh;

import io.sippbx.shared.identity.Member;
import io.sippbx.shared.net.Endpoint;

/**
 * Another control node that lives.
 *
 * @param address of its mesh
 */
public record Peer(Member member, Endpoint address) {}
