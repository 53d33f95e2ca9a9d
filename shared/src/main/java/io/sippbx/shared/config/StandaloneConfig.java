package io.sippbx.shared.config;

import java.nio.file.Path;

/**
 * Section {@code standalone}.
 *
 * @param dataDir where the standalone process keeps what must survive it; need not exist yet
 * @param dataDirIsDefault whether nobody has set it
 */
public record StandaloneConfig(Path dataDir, boolean dataDirIsDefault) {}
