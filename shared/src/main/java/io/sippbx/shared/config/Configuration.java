package io.sippbx.shared.config;

/**
 * The whole configuration of a process, one component for each section of the file. Immutable;
 * passed by constructor, never looked up.
 *
 * @see ConfigLoader
 */
public record Configuration(
    SipConfig sip,
    ClusterConfig cluster,
    StandaloneConfig standalone,
    RedisConfig redis,
    MediaConfig media,
    KafkaConfig kafka,
    EventsConfig events,
    CdrConfig cdr,
    LoggingConfig logging,
    MonitoringConfig monitoring,
    AdminConfig admin) {}
