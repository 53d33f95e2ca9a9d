package io.sippbx.shared.config;

import io.sippbx.shared.net.IpAddress;
import java.time.Duration;

/**
 * Section {@code monitoring}.
 *
 * @param prometheusPort of {@code /metrics}; 0: any free port
 * @param healthCheckPort of {@code /health}, {@code /ready} and the admin API; 0: any free port
 * @param maxConnections to each of the two ports
 */
public record MonitoringConfig(
    IpAddress bindIp,
    int prometheusPort,
    int healthCheckPort,
    int maxConnections,
    Duration requestTimeout) {}
