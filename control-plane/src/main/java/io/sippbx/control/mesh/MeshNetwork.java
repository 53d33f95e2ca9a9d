package io.sippbx.control.mesh;

import io.sippbx.shared.net.Endpoint;
import java.util.function.Function;

/** What carries the streams of the mesh. */
public interface MeshNetwork {

  /** Where other nodes reach this one. */
  Endpoint address();

  /**
   * Streams that others open are given to {@code acceptor} from now on, on the mesh's loop; until
   * then they are refused.
   */
  void accept(Function<MeshStream, MeshStream.Listener> acceptor);

  /** Opens a stream, always on a new connection. On the mesh's loop. */
  MeshStream dial(Endpoint to, MeshStream.Listener listener);
}
