package io.sippbx.control.sip.auth;

import java.util.List;
import java.util.Optional;

/**
 * The users of the server. Answers from memory, at once, and from any thread.
 *
 * <p>A directory may change under way; each method answers with what holds now.
 */
public interface UserDirectory {

  /** The user of that name in that realm. */
  Optional<User> find(String name, String realm);

  /** Whether there are no users at all, which means that nobody has configured any. */
  boolean isEmpty();

  /**
   * The algorithms that every user can be asked for, strongest first; where there is none that
   * suits all, those that suit any.
   */
  List<DigestAlgorithm> algorithms();
}
