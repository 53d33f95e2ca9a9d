package io.sippbx.shared.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** docs/configuration.md, made from the reference file. */
final class ReferencePage {

  private static final Pattern LINE = Pattern.compile("( *)([a-z0-9_]+):(?: (.*))?");
  private static final String EXPECTED = "Expected: ";

  /** What the reference file says of a key. */
  record Key(String name, String byDefault, String reason, String expectation) {}

  private ReferencePage() {}

  /** The keys in their order, read from the text as a person reads it: comment, then key. */
  static Map<String, Key> keys(String reference) {
    var keys = new LinkedHashMap<String, Key>();
    var comment = new ArrayList<String>();
    var path = new ArrayList<String>();
    for (String line : reference.lines().toList()) {
      String stripped = line.strip();
      if (stripped.isEmpty()) {
        comment.clear();
        continue;
      }
      if (stripped.startsWith("#")) {
        comment.add(stripped.substring(1).strip());
        continue;
      }
      Matcher matcher = LINE.matcher(line);
      if (!matcher.matches()) {
        throw new IllegalStateException("neither comment nor key: " + line);
      }
      int depth = matcher.group(1).length() / 2;
      while (path.size() > depth) {
        path.removeLast();
      }
      path.add(matcher.group(2));
      String value = matcher.group(3);
      if (value != null) {
        String name = String.join(".", path);
        keys.put(name, key(name, value, comment));
      }
      comment.clear();
    }
    return keys;
  }

  private static Key key(String name, String value, List<String> comment) {
    String text = String.join(" ", comment);
    int expected = text.lastIndexOf(EXPECTED);
    if (expected < 0 || !text.endsWith(".")) {
      throw new IllegalStateException(name + ": the comment does not end in \"Expected: ....\"");
    }
    return new Key(
        name,
        value,
        text.substring(0, expected).strip(),
        text.substring(expected + EXPECTED.length(), text.length() - 1));
  }

  static String markdown(String reference) {
    var page = new StringBuilder();
    page.append(
        """
        # Configuration
        <!-- Made from shared/src/main/resources/io/sippbx/shared/config/reference.yaml by ReferencePageTest.
             Change that file, then: mvn -pl shared -am test -Dtest=ReferencePageTest -Dsippbx.docs.write=true \
        -Dsurefire.failIfNoSpecifiedTests=false -->

        A YAML file (`--config FILE`) that holds what differs from the defaults below. Over it go environment
        variables, over them the command line: `--port N` is `sip.listen_port`, `--log-level LEVEL` is
        `logging.level`.

        - **Variables** are `SIP_PBX_` and the key in capitals with `_` for dots: `media.port_pool.start` is
          `SIP_PBX_MEDIA_PORT_POOL_START`. Lists are comma-separated: `SIP_PBX_MEDIA_CODEC_PRIORITY=pcma,opus`. Lists
          of entries are YAML in brackets: `SIP_PBX_SIP_USERS='[{username: "1004", password: secret}]'`.
        - **Everything wrong is said at once** when the process starts, by key, value, expectation and place, and it
          does not start. A key that does not exist is wrong too: what was probably meant is said with it. Duplicate
          keys, aliases and files over 1 MiB are refused.
        - **What is accepted and has no effect** (media modes: not implemented yet) is said in one warning.
        - A variable that begins with `SIP_PBX_` and is no key is refused when it looks like one, else named in a
          warning; what Kubernetes and Docker set for a service called `sip-pbx...` is passed over.
        - Numbers are plain decimal. Times are in seconds, or in milliseconds where the key ends in `_ms`.

        ```yaml
        sip:
          advertised_ip: 203.0.113.10      # behind NAT
          users:
            - {username: "1004", password: "correct horse"}
            - {username: "1008", ha1_sha256: "0a5206846fff23aa77b3a90fb98ecc567c9820db5a5a8703f915aa15b45deee6"}
        media:
          advertised_ip: 203.0.113.10
          port_pool: {start: 12000, end: 16000}
        ```

        HA1 is the hash of `username:realm:password`, with `sip.realm` as the realm:
        `printf '1008:sip-pbx:secret' | sha256sum` (or `md5sum`, for phones without SHA-256).
        """);
    String section = "";
    for (Key key : keys(reference).values()) {
      String top = key.name().substring(0, key.name().indexOf('.'));
      if (!top.equals(section)) {
        section = top;
        page.append("\n## ").append(section).append("\n");
        page.append("| key | default | expected | why |\n|---|---|---|---|\n");
      }
      page.append("| `")
          .append(key.name())
          .append("` | `")
          .append(key.byDefault())
          .append("` | ")
          .append(cell(key.expectation()))
          .append(" | ")
          .append(cell(key.reason()))
          .append(" |\n");
    }
    return page.toString();
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("<", "&lt;");
  }
}
