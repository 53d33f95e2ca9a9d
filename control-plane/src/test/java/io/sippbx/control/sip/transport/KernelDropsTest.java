package io.sippbx.control.sip.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.sippbx.shared.net.Endpoint;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelDropsTest {

  private static final List<String> TABLE =
      List.of(
          "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid "
              + " timeout inode ref pointer drops            ",
          "  391: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0      "
              + "  0 100 2 0000000000000000 3         ",
          "  391: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0      "
              + "  0 101 2 0000000000000000 4         ",
          "  392: 00000000:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0      "
              + "  0 102 2 0000000000000000 50        ",
          "  393: B80D0120000000000000000007000000:13C5 00000000000000000000000000000000:0000 07"
              + " 00000000:00000000 00:00000000 00000000     0        0 103 2 0 600",
          "  nonsense",
          "  394: 0100007Z:13C4 0 x");

  @Test
  void sumsOverOurSocketsOnly() {
    assertThat(KernelDrops.sum(TABLE, List.of(Endpoint.of("127.0.0.1", 5060)))).isEqualTo(7);
    assertThat(KernelDrops.sum(TABLE, List.of(Endpoint.of("0.0.0.0", 5060)))).isEqualTo(50);
    assertThat(KernelDrops.sum(TABLE, List.of(Endpoint.of("2001:db8::7", 5061)))).isEqualTo(600);
    assertThat(KernelDrops.sum(TABLE, List.of(Endpoint.of("127.0.0.1", 5061)))).isZero();
  }
}
