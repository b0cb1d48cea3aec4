package io.milena.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Cuts are silent, one-way, and end. Skipped where namespaces are not allowed. */
@Timeout(60)
class NamespaceNetworkTest {

  @Test
  void aCutLosesOneDirectionOnly() throws Exception {
    try (NamespaceNetwork network = createOrSkip();
        DatagramSocket clients =
            new DatagramSocket(new InetSocketAddress(network.ip(ClusterNetwork.CLIENTS), 0))) {
      assertThat(sentByNodeOne(network, clients, "before")).isEqualTo("before");
      network.cut(ClusterNetwork.CLIENTS, 1);
      assertThat(sentByNodeOne(network, clients, "other way")).isEqualTo("other way");
      network.cut(1, ClusterNetwork.CLIENTS);
      clients.setSoTimeout(300);
      assertThatThrownBy(() -> sentByNodeOne(network, clients, "lost"))
          .isInstanceOf(SocketTimeoutException.class);
      clients.setSoTimeout(0);
      network.heal();
      assertThat(sentByNodeOne(network, clients, "after")).isEqualTo("after");
    }
  }

  private static NamespaceNetwork createOrSkip() {
    try {
      return NamespaceNetwork.create(2);
    } catch (IOException failure) {
      return abort("no network namespaces here: " + failure.getMessage());
    }
  }

  private static String sentByNodeOne(
      NamespaceNetwork network, DatagramSocket receiver, String text) throws Exception {
    List<String> command = new ArrayList<>(network.place(1).entry());
    String target =
        "/dev/udp/" + network.ip(ClusterNetwork.CLIENTS) + "/" + receiver.getLocalPort();
    command.addAll(List.of("bash", "-c", "printf '%s' '" + text + "' > " + target));
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    DatagramPacket packet = new DatagramPacket(new byte[100], 100);
    receiver.receive(packet);
    return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
  }
}
