/**
 * Configuration as a tree of immutable records, built once at start from the reference file, the
 * user's YAML file, the environment and the command line, with every problem reported together.
 */
@NullMarked
package io.sippbx.shared.config;

import org.jspecify.annotations.NullMarked;
