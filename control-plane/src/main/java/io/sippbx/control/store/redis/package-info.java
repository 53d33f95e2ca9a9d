/**
 * The stores on Redis 6.2 or newer, or Valkey: standalone, behind Sentinel, or a Redis Cluster. The
 * only package that sees Lettuce. What it does to each key is in the scripts under {@code
 * resources/lua}.
 */
@NullMarked
package io.sippbx.control.store.redis;

import org.jspecify.annotations.NullMarked;
