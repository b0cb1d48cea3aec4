package io.milena.faults;

import static io.milena.faults.ClusterNetwork.CLIENTS;
import static io.milena.faults.FaultCase.IMPATIENT;
import static io.milena.faults.FaultCase.PACE;
import static io.milena.faults.FaultExtension.WHOLE_LIST;

import io.milena.faults.FaultCluster.Disks;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Silent cuts between nodes of three, and between nodes and clients, under load. */
@Timeout(900)
@Tag(WHOLE_LIST)
class NetworkFaultsIT {

  private static final int CUT_SECONDS = 5;

  @RegisterExtension static final FaultExtension CLUSTER = new FaultExtension(3, Disks.REAL);

  /** Who is cut off, named by what it is while it is. */
  enum Victim {
    LEADER("a leader"),
    BOTH("a node that is both"),
    FOLLOWER("a follower");

    private final String words;

    Victim(String words) {
      this.words = words;
    }
  }

  @ParameterizedTest
  @EnumSource
  void fromTheOtherNodes(Victim victim) throws Exception {
    cut(victim, "cut off from the other nodes", true, true, false);
  }

  @ParameterizedTest
  @EnumSource
  void fromNodesAndClients(Victim victim) throws Exception {
    cut(victim, "cut off from nodes and clients", true, true, true);
  }

  @ParameterizedTest
  @EnumSource
  void heardByNoNode(Victim victim) throws Exception {
    cut(victim, "cannot be heard by the other nodes", true, false, false);
  }

  @ParameterizedTest
  @EnumSource
  void hearsNoNode(Victim victim) throws Exception {
    cut(victim, "cannot hear the other nodes", false, true, false);
  }

  private static void cut(
      Victim victim, String what, boolean outgoing, boolean incoming, boolean clients)
      throws Exception {
    FaultCluster cluster = CLUSTER.cluster();
    CLUSTER.assumeCuts();
    int metadataLeader = cluster.metadataLeader();
    int leader =
        victim == Victim.BOTH ? metadataLeader : cluster.otherThan(List.of(metadataLeader));
    int one =
        victim == Victim.FOLLOWER ? cluster.otherThan(List.of(metadataLeader, leader)) : leader;
    String name = "%s %s for %d s".formatted(victim.words, what, CUT_SECONDS);
    try (FaultCase faults = FaultCase.begin(name, cluster, leader, PACE, IMPATIENT)) {
      List<Integer> others = new ArrayList<>(cluster.others(one));
      if (clients) {
        others.add(CLIENTS);
      }
      for (int other : others) {
        if (outgoing) {
          cluster.network().cut(one, other);
        }
        if (incoming) {
          cluster.network().cut(other, one);
        }
      }
      TimeUnit.SECONDS.sleep(CUT_SECONDS);
      cluster.network().heal();
      faults.finish();
    }
  }
}
