package io.sippbx.control.mesh;

import io.sippbx.proto.mesh.v1.MeshMessage;

/** One open stream to another node. Used on the mesh's loop only. */
public interface MeshStream {

  /** Whether the peer takes more now. If not, {@link Listener#ready} tells when it does. */
  boolean isReady();

  /** Writes one message; after the end of the stream it does nothing. */
  void write(MeshMessage message);

  /** Ends the stream and its connection; {@link Listener#ended} is not called for it. */
  void end();

  /** What a stream brings. Called on the mesh's loop, never inline. */
  interface Listener {
    /** The peer has said something. */
    void heard(MeshMessage message);

    /** The peer takes more. */
    void ready();

    /** The stream has broken, or the peer has ended it; nothing more comes. */
    void ended(String reason);
  }
}
