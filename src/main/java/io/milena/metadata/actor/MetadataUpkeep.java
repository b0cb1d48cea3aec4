package io.milena.metadata.actor;

import io.milena.metadata.MembershipPlan;
import io.milena.metadata.MetadataCommand;
import io.milena.metadata.MetadataImage;
import io.milena.metadata.NodeImage;
import io.milena.metadata.NodeLiveness;
import io.milena.raft.HardState;
import io.milena.raft.MembershipChange;
import io.milena.raft.RaftCore;
import io.milena.raft.RaftStatus;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * What the metadata leader does without being asked: fences nodes that are gone, and brings the
 * group in line with who is registered. Confined to {@link MetadataGroup}.
 */
final class MetadataUpkeep {

  private static final Logger LOG = LoggerFactory.getLogger(MetadataUpkeep.class);

  private final MetadataGroupSettings settings;
  private final NodeLiveness liveness;
  private int leaderId = HardState.NOBODY;
  private int lastOtherLeader = HardState.NOBODY;
  private int epoch;

  MetadataUpkeep(MetadataGroupSettings settings) {
    this.settings = settings;
    this.liveness =
        new NodeLiveness(
            settings.raft().nodeId(),
            settings.silenceTimeout().toNanos(),
            settings.tickInterval().toNanos());
  }

  void tick(long nowNanos) {
    liveness.tick(nowNanos);
  }

  void heard(int nodeId) {
    liveness.heard(nodeId);
  }

  /** For how long each node was not heard of. */
  Map<Integer, Long> silentMs() {
    return liveness.silentMs();
  }

  void gone(MetadataImage image, int nodeId) {
    NodeImage node = image.nodes().get(nodeId);
    if (node != null) {
      liveness.gone(node);
    }
  }

  /**
   * Takes note of who leads.
   *
   * @return whether that is another leader, or another epoch, than at the last call
   */
  boolean noteLeader(RaftCore raft) {
    int now = raft.leaderId();
    if (now == HardState.NOBODY || (now == leaderId && raft.epoch() == epoch)) {
      return false;
    }
    boolean isFirst = leaderId == HardState.NOBODY;
    if (leaderId != raft.nodeId()) {
      lastOtherLeader = leaderId;
    }
    leaderId = now;
    epoch = raft.epoch();
    if (raft.isLeader()) {
      liveness.lead(lastOtherLeader);
    }
    boolean isAlone = raft.isLeader() && raft.membership().members().size() == 1;
    if (!isAlone) {
      LOG.info(
          "Node {} leads the metadata group{}",
          now == raft.nodeId() ? now + " (this one)" : now,
          isFirst ? "" : " now, in epoch " + epoch);
    }
    return true;
  }

  /** What the leader asks of itself. */
  List<MetadataCommand<?>> commands(MetadataImage image) {
    List<MetadataCommand<?>> commands = new ArrayList<>();
    for (NodeLiveness.Verdict verdict : liveness.verdicts(image)) {
      NodeImage node = image.nodes().get(verdict.command().nodeId());
      LOG.atLevel(node != null && node.controlledShutdown() ? Level.INFO : Level.WARN)
          .log(
              "Node {} {}: fencing it, others lead in its place",
              verdict.command().nodeId(),
              verdict.reason());
      commands.add(verdict.command());
    }
    return commands;
  }

  /** The next change of the group, if one is due and none is under way. */
  Optional<MembershipChange> membershipChange(MetadataImage image, RaftCore raft) {
    if (settings.votersTarget() == 0 || raft.isMembershipChanging()) {
      return Optional.empty();
    }
    return MembershipPlan.next(
        image, raft.membership(), raft.nodeId(), caughtUp(raft), settings.votersTarget());
  }

  private Set<Integer> caughtUp(RaftCore raft) {
    if (raft.membership().learners().isEmpty()
        || raft.membership().voters().size() >= settings.votersTarget()) {
      return Set.of();
    }
    RaftStatus status = raft.status();
    Set<Integer> caughtUp = new HashSet<>();
    status
        .peers()
        .forEach((nodeId, peer) -> {
          if (peer.isActive()
              && status.last().index() - peer.matchIndex() <= settings.raft().caughtUpEntries()) {
            caughtUp.add(nodeId);
          }
        });
    return caughtUp;
  }
}
