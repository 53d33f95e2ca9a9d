package io.sippbx.control.media;

import io.sippbx.control.loop.Loop;
import io.sippbx.control.media.MediaNodeView.Restore;
import io.sippbx.proto.media.v1.ControlMessage;
import io.sippbx.proto.media.v1.RestoreDone;
import io.sippbx.shared.identity.CallKey;
import io.sippbx.shared.identity.Incarnation;
import io.sippbx.shared.identity.NodeId;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Has the sessions of nodes that have just started brought back. Confined to the loop. */
final class MediaRestores {

  private final Loop loop;
  private @Nullable MediaRestorer restorer;

  MediaRestores(Loop loop) {
    this.loop = loop;
  }

  /** Who is asked from now on. */
  void by(MediaRestorer now) {
    restorer = now;
  }

  /** Asks for what can come back, once; and says again that all has, if it was not heard. */
  void restoring(MediaNodeView node, MediaLink link) {
    switch (node.restore) {
      case DUE -> {
        MediaRestorer asked = restorer;
        if (asked != null) {
          node.restore = Restore.ASKED;
          Incarnation of = node.incarnation;
          List<CallKey> told = node.toldLost;
          node.toldLost = List.of();
          asked.restore(node.id, told, keepers -> loop.execute(() -> restored(node, of, keepers)));
        }
      }
      case ASKED -> {}
      case DONE -> link.send(done(node.restoredBy));
    }
  }

  private static ControlMessage done(List<NodeId> keepers) {
    var done = RestoreDone.newBuilder();
    keepers.forEach(each -> done.addControlNodes(each.text()));
    return ControlMessage.newBuilder().setRestoreDone(done).build();
  }

  private void restored(MediaNodeView node, @Nullable Incarnation of, List<NodeId> keepers) {
    if (!Objects.equals(of, node.incarnation)) {
      return;
    }
    node.restore = Restore.DONE;
    node.restoredBy = keepers;
    if (node.link != null) {
      node.link.send(done(keepers));
    }
  }
}
