package io.sippbx.control.media;

/** What the media plane has counted since its start. Confined to the loop. */
final class MediaCounters {
  long connects;
  long disconnects;
  long timeouts;
  long overloads;
  long releasesDropped;
  long sessionsLost;
  long sessionsNotKnown;
  long conflicts;
  long malformed;
}
