package io.sippbx.control.sip.message;

/**
 * Where the parts of one value lie, as a scanner found them: filled and read by the scanners and by
 * the views that are made from the same scan, so that what passed the parser always gives a view.
 * An end of -1 says that the part is not there.
 */
final class Spans {

  /** Display name (quotes included when {@link #displayQuoted}), or a Via's transport. */
  int nameStart;

  int nameEnd;
  boolean displayQuoted;

  /** URI, or a Via's host. */
  int uriStart;

  int uriEnd;

  /** Header parameters, from the first semicolon. */
  int paramsStart;

  int paramsEnd;

  /** Within a URI: scheme, user, password, host (brackets included), port, parameters, headers. */
  int schemeEnd;

  int userEnd;
  int passwordStart;
  int passwordEnd;
  int hostStart;
  int hostEnd;
  int port;
  int uriParamsEnd;
  int headersEnd;
}
