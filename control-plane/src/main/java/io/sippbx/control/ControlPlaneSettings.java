package io.sippbx.control;

import io.sippbx.control.sip.transport.TransportSettings;

/** What a control plane is built from: a node, and what carries its messages. */
public record ControlPlaneSettings(ControlNodeSettings node, TransportSettings transport) {}
