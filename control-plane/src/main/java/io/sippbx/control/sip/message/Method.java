package io.sippbx.control.sip.message;

/**
 * The method of a request: any token; case-sensitive.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc3261#section-7.1">RFC 3261 7.1</a>
 */
public record Method(String name) {

  public static final Method INVITE = new Method("INVITE");
  public static final Method ACK = new Method("ACK");
  public static final Method BYE = new Method("BYE");
  public static final Method CANCEL = new Method("CANCEL");
  public static final Method OPTIONS = new Method("OPTIONS");
  public static final Method REGISTER = new Method("REGISTER");
  public static final Method PRACK = new Method("PRACK");
  public static final Method UPDATE = new Method("UPDATE");
  public static final Method INFO = new Method("INFO");
  public static final Method MESSAGE = new Method("MESSAGE");
  public static final Method SUBSCRIBE = new Method("SUBSCRIBE");
  public static final Method NOTIFY = new Method("NOTIFY");
  public static final Method REFER = new Method("REFER");
  public static final Method PUBLISH = new Method("PUBLISH");

  private static final Method[] KNOWN = {
    INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE, SUBSCRIBE, NOTIFY,
    REFER, PUBLISH
  };

  /** Refuses what is no token. */
  public Method {
    if (!Chars.all(name, Chars.TOKEN)) {
      throw new IllegalArgumentException("Expected a token as method, but got " + name);
    }
  }

  /** Whether this is one of the constants. */
  public boolean isKnown() {
    for (Method method : KNOWN) {
      if (method.equals(this)) {
        return true;
      }
    }
    return false;
  }

  /** The method of a span that is a token; the constant where there is one. */
  static Method of(byte[] b, int start, int end) {
    for (Method method : KNOWN) {
      if (method.matches(b, start, end)) {
        return method;
      }
    }
    return new Method(Text.ascii(b, start, end));
  }

  private boolean matches(byte[] b, int start, int end) {
    if (end - start != name.length()) {
      return false;
    }
    for (int i = start; i < end; i++) {
      if (b[i] != name.charAt(i - start)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return name;
  }
}
