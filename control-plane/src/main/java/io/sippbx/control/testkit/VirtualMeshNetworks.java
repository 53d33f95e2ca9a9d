package io.sippbx.control.testkit;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.mesh.MeshNetwork;
import io.sippbx.control.mesh.MeshStream;
import io.sippbx.proto.mesh.v1.MeshMessage;
import io.sippbx.shared.net.Endpoint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What carries meshes between virtual nodes: streams that keep their order, and can be cut with a
 * reset, held up without one, or not be taken by who receives. All on virtual time, each end on its
 * loop.
 */
public final class VirtualMeshNetworks {

  private final Map<Endpoint, Node> nodes = new LinkedHashMap<>();
  private final List<Wire> wires = new ArrayList<>();
  private int attempts;

  /** The network of one node: {@code loop} is its mesh's. */
  public MeshNetwork node(Loop loop, Endpoint address) {
    var node = new Node(loop, address);
    nodes.put(address, node);
    return node;
  }

  /** Times that a node has dialled another. */
  public int attempts() {
    return attempts;
  }

  /** Breaks all streams of a node, as its end does; others find nobody there from now on. */
  public void kill(Endpoint address) {
    nodes.remove(address);
    cut(address);
  }

  /** Breaks all streams of a node once; new ones may be opened. */
  public void cut(Endpoint address) {
    for (Wire wire : List.copyOf(wires)) {
      if (wire.touches(address)) {
        wires.remove(wire);
        wire.dialler.breaks("reset");
        wire.acceptor.breaks("reset");
      }
    }
  }

  /** What is on its way from and to a node gets nowhere until it is let through. */
  public void holdUp(Endpoint address, boolean held) {
    for (Wire wire : wires) {
      if (wire.touches(address)) {
        wire.dialler.held = held;
        wire.acceptor.held = held;
        wire.dialler.letThrough();
        wire.acceptor.letThrough();
      }
    }
  }

  /** The node takes nothing of what its peers write, or does again. */
  public void stopReading(Endpoint address, boolean stopped) {
    for (Wire wire : wires) {
      if (wire.touches(address)) {
        End writer = wire.acceptor.address.equals(address) ? wire.dialler : wire.acceptor;
        writer.ready = !stopped;
        if (!stopped) {
          writer.tellReady();
        }
      }
    }
  }

  /** One stream. */
  private record Wire(End dialler, End acceptor) {
    boolean touches(Endpoint address) {
      return dialler.address.equals(address) || acceptor.address.equals(address);
    }
  }

  private final class Node implements MeshNetwork {
    private final Loop loop;
    private final Endpoint address;
    private @Nullable Function<MeshStream, MeshStream.Listener> acceptor;

    Node(Loop loop, Endpoint address) {
      this.loop = loop;
      this.address = address;
    }

    @Override
    public Endpoint address() {
      return address;
    }

    @Override
    public void accept(Function<MeshStream, MeshStream.Listener> next) {
      acceptor = next;
    }

    @Override
    public MeshStream dial(Endpoint to, MeshStream.Listener listener) {
      attempts++;
      var near = new End(loop, address);
      near.listener = listener;
      Node other = nodes.get(to);
      if (other == null) {
        loop.execute(() -> near.breaks("refused"));
        return near;
      }
      var far = new End(other.loop, to);
      near.other = far;
      far.other = near;
      wires.add(new Wire(near, far));
      other.loop.execute(
          () -> {
            if (other.acceptor == null) {
              near.breaks("refused");
            } else if (!far.ended) {
              far.listener = other.acceptor.apply(far);
            }
          });
      return near;
    }
  }

  /** One end of a stream: what is written here is heard at the other. */
  private static final class End implements MeshStream {
    private final Loop loop;
    private final Endpoint address;
    private final Deque<MeshMessage> onTheWay = new ArrayDeque<>();
    private @Nullable End other;
    private MeshStream.@Nullable Listener listener;
    private boolean ready = true;
    private boolean held;
    private boolean ended;

    End(Loop loop, Endpoint address) {
      this.loop = loop;
      this.address = address;
    }

    @Override
    public boolean isReady() {
      return ready && !ended;
    }

    @Override
    public void write(MeshMessage message) {
      if (!ended) {
        onTheWay.add(message);
        letThrough();
      }
    }

    private void letThrough() {
      while (!held && !onTheWay.isEmpty() && other != null) {
        MeshMessage message = onTheWay.remove();
        End to = other;
        to.loop.execute(() -> to.hear(message));
      }
    }

    private void hear(MeshMessage message) {
      if (!ended && listener != null) {
        listener.heard(message);
      }
    }

    private void tellReady() {
      loop.execute(
          () -> {
            if (!ended && listener != null) {
              listener.ready();
            }
          });
    }

    @Override
    public void end() {
      ended = true;
      if (other != null) {
        other.breaks("ended by the peer");
      }
    }

    private void breaks(String reason) {
      loop.execute(
          () -> {
            if (!ended && listener != null) {
              ended = true;
              listener.ended(reason);
            }
            ended = true;
          });
    }
  }
}
