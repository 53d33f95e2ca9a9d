package io.sippbx.shared.config;

/** What a process is; some keys are needed by some roles only. */
public enum Role {
  STANDALONE,
  CONTROL_PLANE,
  MEDIA_PLANE,
  EVENT_PLANE,
  /** Tools that read the configuration of another process. */
  TOOL
}
